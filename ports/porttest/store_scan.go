package porttest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func (c *storeCase) empty() {
	store := c.open(1)
	c.holds(store)
	if rows := c.scan(store, domain.Segment{Index: 2, Total: 3}, nil); len(rows) > 0 {
		c.Errorf("a segment of an empty table holds %+v", rows)
	}
}

// pages tries page size one, and tables that end at or next to a page boundary.
func (c *storeCase) pages() {
	for _, size := range []int{1, 2, 5, 6, 7, 100} {
		store := c.open(size)
		ids := idsLike(fmt.Sprint("size-", size), 6)
		c.fill(store, ids...)
		full := 0
		check := func(page ports.Page) {
			full++
			if n := len(page.Connections); n > size {
				c.Errorf("page size %d: a page has %d rows", size, n)
			}
		}
		c.same(idsOf(c.scan(store, domain.Segment{}, check)), ids)
		if size < len(ids) && full == 0 {
			c.Errorf("page size %d: one page has %d rows", size, len(ids))
		}
		c.delete(store, ids...)
	}
}

// expired has enough stale rows to fill whole pages.
func (c *storeCase) expired() {
	store := c.open(2)
	for _, id := range idsLike("stale", 20) {
		row := c.live(id)
		row.ExpiresAt = c.now.Add(-time.Minute)
		if err := store.Put(c.ctx, row); err != nil {
			c.Fatal(err)
		}
	}
	signedIn := c.live("stale-8")
	signedIn.User, signedIn.ExpiresAt = "alice", c.now.Add(-time.Minute)
	if err := store.Put(c.ctx, signedIn); err != nil {
		c.Fatal(err)
	}
	c.scan(store, domain.Segment{}, func(page ports.Page) {
		if len(page.Expired) > 0 && (len(page.Expired) > 1 || page.Expired[0] != "stale-8") {
			c.Errorf("the expired of users are %q", page.Expired)
		}
	})
	c.holds(store)
	c.fill(store, "live-1", "live-2", "stale-7")
	c.holds(store, "live-1", "live-2", "stale-7")
}

func (c *storeCase) segments() {
	store := c.open(3)
	ids := idsLike("row", 23)
	c.fill(store, ids...)
	for _, total := range []int{1, 2, 7, 40} { // 40: more segments than rows
		c.Run(fmt.Sprint(total), func(t *testing.T) {
			of := *c
			of.T = t
			var found []domain.ConnectionID
			for i := range total {
				rows := of.scan(store, domain.Segment{Index: i, Total: total}, nil)
				found = append(found, idsOf(rows)...)
			}
			of.same(found, ids)
		})
	}
}

// changes puts, replaces and deletes rows between the pages of a scan: rows that stay
// must be returned once each, and the others at most once.
func (c *storeCase) changes() {
	store := c.open(3)
	stay, leave, come := idsLike("stay", 20), idsLike("leave", 20), idsLike("come", 20)
	c.fill(store, append(stay, leave...)...)
	turn := 0
	rows := c.scan(store, domain.Segment{}, func(ports.Page) {
		if turn < 20 {
			c.fill(store, come[turn], stay[turn])
			c.delete(store, leave[turn])
		}
		turn++
	})
	times := make(map[domain.ConnectionID]int)
	for _, id := range idsOf(rows) {
		times[id]++
		if times[id] > 1 {
			c.Errorf("%q was returned more than once", id)
		}
	}
	for _, id := range stay {
		if times[id] == 0 {
			c.Errorf("%q was stored during the whole scan but not returned", id)
		}
	}
}

// deleteBehind deletes the very rows that the cursor is at.
func (c *storeCase) deleteBehind() {
	store := c.open(2)
	ids := idsLike("row", 9)
	c.fill(store, ids...)
	rows := c.scan(store, domain.Segment{}, func(page ports.Page) {
		c.delete(store, idsOf(page.Connections)...)
	})
	c.same(idsOf(rows), ids)
}

// sharedCursor reads each page with a new instance.
func (c *storeCase) sharedCursor() {
	ids := idsLike("row", 9)
	c.fill(c.open(2), ids...)
	var rows []domain.Connection
	var from domain.Cursor
	for range maxPages {
		page, err := c.open(2).Scan(c.ctx, domain.Segment{}, from)
		if err != nil {
			c.Fatal(err)
		}
		rows = append(rows, page.Connections...)
		if from = page.Next; from == "" {
			break
		}
	}
	c.same(idsOf(rows), ids)
}

func (c *storeCase) badCursor() {
	store := c.open(1)
	c.fill(store, "a", "b")
	for _, from := range []domain.Cursor{
		"!", "not a cursor", "연결", "\x00", "{}", "e30=", domain.Cursor(strings.Repeat("~", 5000)),
	} {
		page, err := store.Scan(c.ctx, domain.Segment{}, from)
		if !errors.Is(err, ports.ErrBadCursor) {
			c.Errorf("Scan from %.20q: %+v, %v, want ErrBadCursor", from, page, err)
		}
	}
}

func (c *storeCase) badSegment() {
	store := c.open(1)
	for _, segment := range []domain.Segment{
		{Index: -1, Total: 2}, {Index: 2, Total: 2}, {Index: 1}, {Total: -1},
	} {
		if _, err := store.Scan(c.ctx, segment, ""); !errors.Is(err, ports.ErrBadCursor) {
			c.Errorf("Scan of %+v: %v, want ErrBadCursor", segment, err)
		}
	}
}
