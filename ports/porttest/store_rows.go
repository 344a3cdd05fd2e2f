package porttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func (c *storeCase) put() {
	store := c.open(10)
	first := c.live("a")
	second := first
	second.RegisteredAt = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)
	second.ExpiresAt = second.RegisteredAt.AddDate(100, 0, 0)
	for _, connection := range []domain.Connection{first, second} {
		if err := store.Put(c.ctx, connection); err != nil {
			c.Fatal(err)
		}
		rows := c.scan(store, domain.Segment{}, nil)
		if len(rows) != 1 || rows[0].ID != "a" {
			c.Fatalf("after Put of \"a\" the table holds %+v", rows)
		}
		want := connection.RegisteredAt.UnixMilli()
		if got := rows[0].RegisteredAt.UnixMilli(); got != want {
			c.Errorf("RegisteredAt was returned as %d ms, want %d", got, want)
		}
		// A TTL attribute counts in seconds.
		if d := rows[0].ExpiresAt.Sub(connection.ExpiresAt).Abs(); d > time.Second {
			c.Errorf("ExpiresAt was returned %v off", d)
		}
	}
}

func (c *storeCase) getReplace() {
	store := c.open(10)
	row := c.live("a")
	if _, err := store.Get(c.ctx, "a"); !errors.Is(err, ports.ErrNotFound) {
		c.Errorf("Get of nothing: %v, want ErrNotFound", err)
	}
	if err := store.Replace(c.ctx, row); !errors.Is(err, ports.ErrNotFound) {
		c.Errorf("Replace of nothing: %v, want ErrNotFound", err)
	}
	c.holds(store)
	c.fill(store, "a")
	row.User, row.Scope, row.ExpiresAt = `"김" <a@b>`, domain.NewScope("room:goals broadcast"), c.now.Add(-time.Hour)
	for _, scope := range []domain.Scope{row.Scope, domain.NewScope(""), {}} {
		row.Scope = scope
		if err := store.Replace(c.ctx, row); err != nil {
			c.Fatal(err)
		}
		got, err := store.Get(c.ctx, "a")
		if err != nil || got.ID != "a" || got.User != row.User || got.Scope != scope ||
			got.RegisteredAt.UnixMilli() != row.RegisteredAt.UnixMilli() || got.ExpiresAt.Sub(row.ExpiresAt).Abs() > time.Second {
			c.Errorf("%+v came back as %+v, %v", row, got, err)
		}
	}
	c.holds(store) // it has expired
	c.delete(store, "a")
	if _, err := store.Get(c.ctx, "a"); !errors.Is(err, ports.ErrNotFound) {
		c.Errorf("Get of what was deleted: %v, want ErrNotFound", err)
	}
}

// ids uses one row per page, so that each id also passes through a cursor.
func (c *storeCase) ids() {
	ids := []domain.ConnectionID{
		"L0SM9cOFvHcCIhw=", "a/b+c==", "+/=", "/", "a", "a:b.c|d,e#f", `a"b\c`, "%3D", "a b", "연결",
	}
	store := c.open(1)
	c.fill(store, ids...)
	c.holds(store, ids...)
	c.delete(store, ids[:5]...)
	c.holds(store, ids[5:]...)
}

func (c *storeCase) deleteTwice() {
	store := c.open(10)
	c.fill(store, "a", "b")
	c.delete(store, "a")
	c.delete(store, "a")
	c.delete(store, "never stored", "b", "b")
	c.holds(store)
	c.fill(store, "a")
	c.holds(store, "a")
}

// deleteMany deletes more than two BatchWriteItem requests can hold.
func (c *storeCase) deleteMany() {
	store := c.open(100)
	kept, gone := idsLike("kept", 5), idsLike("gone", 60)
	c.fill(store, kept...)
	c.fill(store, gone...)
	c.delete(store)
	c.holds(store, append(kept, gone...)...)
	c.delete(store, gone...)
	c.holds(store, kept...)
}

func (c *storeCase) cancelled() {
	store := c.open(10)
	c.fill(store, "a")
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, scanned := store.Scan(ctx, domain.Segment{}, "")
	_, got := store.Get(ctx, "a")
	for call, err := range map[string]error{
		"Put":     store.Put(ctx, c.live("b")),
		"Replace": store.Replace(ctx, c.live("a")),
		"Get":     got,
		"Delete":  store.Delete(ctx, "a"),
		"Scan":    scanned,
	} {
		if !errors.Is(err, context.Canceled) {
			c.Errorf("%s under a cancelled context: %v, want context.Canceled", call, err)
		}
	}
	c.holds(store, "a")
}

func (c *storeCase) concurrent() {
	store := c.open(7)
	var kept []domain.ConnectionID
	var workers sync.WaitGroup
	for w := range 6 {
		mine := idsLike(fmt.Sprint("worker-", w), 10)
		kept = append(kept, mine[5:]...)
		workers.Go(func() {
			for i, id := range mine {
				c.check(store.Put(c.ctx, c.live(id)))
				if i < 5 {
					c.check(store.Delete(c.ctx, id))
				}
			}
		})
		workers.Go(func() {
			_, err := store.Scan(c.ctx, domain.Segment{}, "")
			c.check(err)
		})
	}
	workers.Wait()
	c.holds(store, kept...)
}

// check may be called in any goroutine.
func (c *storeCase) check(err error) {
	if err != nil {
		c.Error(err)
	}
}
