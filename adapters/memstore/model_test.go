package memstore

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

// TestModel runs random puts and deletes between the pages of a scan and checks the
// scan's contract: rows that stay are returned once, rows that are not stored never.
func TestModel(t *testing.T) {
	ids := crowd(40)
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 4).Draw(t, "segments")
		w := world{
			T:       t,
			ids:     ids,
			store:   New(rapid.IntRange(1, 6).Draw(t, "page size")),
			segment: domain.Segment{Index: rapid.IntRange(0, total-1).Draw(t, "segment"), Total: total},
			live:    make(map[domain.ConnectionID]bool),
		}
		w.change(60)
		w.scan()
		w.sweep()
	})
}

// crowd returns n ids that all fall into a few shards: the last of the table, and those
// where segments meet, within a shard or between two.
func crowd(n int) []domain.ConnectionID {
	var ids []domain.ConnectionID
	for i := 0; len(ids) < n; i++ {
		id := domain.ConnectionID(fmt.Sprint("id-", i))
		switch positionOf(id).shard() {
		case 341, 511, 512, 1023:
			ids = append(ids, id)
		}
	}
	return ids
}

type world struct {
	*rapid.T
	ids     []domain.ConnectionID
	store   *Store
	segment domain.Segment
	live    map[domain.ConnectionID]bool // stored and not expired
	touched map[domain.ConnectionID]bool // came or went since the scan began
}

// change puts or deletes up to n times, or puts expired rows.
func (w *world) change(n int) {
	for range rapid.IntRange(0, n).Draw(w.T, "changes") {
		id := rapid.SampledFrom(w.ids).Draw(w.T, "id")
		what := rapid.SampledFrom([]string{"put", "put expired", "delete"}).Draw(w.T, "what")
		c := domain.Connection{ID: id, ExpiresAt: time.Now().Add(time.Hour)}
		var err error
		switch what {
		case "delete":
			err = w.store.Delete(context.Background(), id)
		case "put expired":
			c.ExpiresAt = time.Now().Add(-time.Hour)
			fallthrough
		default:
			err = w.store.Put(context.Background(), c)
		}
		if err != nil {
			w.Fatal(err)
		}
		if live := what == "put"; live != w.live[id] {
			w.live[id] = live
			if w.touched != nil {
				w.touched[id] = true
			}
		}
	}
}

func (w *world) scan() {
	w.touched = make(map[domain.ConnectionID]bool)
	came := make(map[domain.ConnectionID]int)
	for from := domain.Cursor(""); ; w.change(5) {
		page, err := w.store.Scan(context.Background(), w.segment, from)
		if err != nil {
			w.Fatal(err)
		}
		if n := len(page.Connections); n > w.store.pageSize {
			w.Errorf("a page of %d holds %d rows", w.store.pageSize, n)
		}
		for _, c := range page.Connections {
			came[c.ID]++
			if !w.live[c.ID] {
				w.Errorf("%q was returned but is not stored", c.ID)
			}
		}
		if from = page.Next; from == "" {
			break
		}
	}
	for _, id := range w.ids {
		want := 0
		if w.live[id] && w.mine(id) {
			want = 1
		}
		if !w.touched[id] && came[id] != want || came[id] > 1 {
			w.Errorf("%q was returned %d times, want %d", id, came[id], want)
		}
	}
}

// mine reports whether the id is in the segment, calculated independently of the store.
func (w *world) mine(id domain.ConnectionID) bool {
	hash := new(big.Int).SetUint64(positionOf(id).hash)
	hash.Mul(hash, big.NewInt(int64(w.segment.Total)))
	return hash.Rsh(hash, 64).Int64() == int64(w.segment.Index)
}

// sweep reads the whole table, after which no expired row may be left.
func (w *world) sweep() {
	w.store.pageSize = 1000
	if _, err := w.store.Scan(context.Background(), domain.Segment{}, ""); err != nil {
		w.Fatal(err)
	}
	stored := int64(0)
	for _, live := range w.live {
		if live {
			stored++
		}
	}
	held := int64(0)
	for i := range w.store.shards {
		held += int64(len(w.store.shards[i].rows))
	}
	if counted := w.store.rows.Load(); held != stored || counted != stored {
		w.Errorf("%d rows are held and %d counted, want %d", held, counted, stored)
	}
}
