package porttest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// StoreHarness makes the stores under test.
type StoreHarness struct {
	// NewTable makes an empty table for the case t, which also cleans it up, and returns
	// how to open a store on it. A page of the store reads at most pageSize rows, expired
	// ones included. Each call of open makes a new instance, as if in another process.
	NewTable func(t *testing.T) (open func(pageSize int) ports.ConnectionStore)
	// Shared says that stores opened on the same table share their rows. Without it, each
	// case opens one store.
	Shared bool
}

// TestConnectionStore checks that the adapter fulfills the contract of
// ports.ConnectionStore.
func TestConnectionStore(t *testing.T, h StoreHarness) {
	cases := map[string]func(*storeCase){
		"put stores, replaces and keeps RegisteredAt": (*storeCase).put,
		"get and replace":                (*storeCase).getReplace,
		"ids pass unchanged":             (*storeCase).ids,
		"delete is idempotent":           (*storeCase).deleteTwice,
		"delete of none and of 60":       (*storeCase).deleteMany,
		"cancelled context":              (*storeCase).cancelled,
		"concurrent use":                 (*storeCase).concurrent,
		"empty table":                    (*storeCase).empty,
		"pages":                          (*storeCase).pages,
		"expired rows are left out":      (*storeCase).expired,
		"segments cover without overlap": (*storeCase).segments,
		"changes during a scan":          (*storeCase).changes,
		"rows deleted as they are read":  (*storeCase).deleteBehind,
		"bad cursor":                     (*storeCase).badCursor,
		"bad segment":                    (*storeCase).badSegment,
	}
	if h.Shared {
		cases["cursor used by another instance"] = (*storeCase).sharedCursor
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) { run(newStoreCase(t, h)) })
	}
}

// storeCase is one case with its own table.
type storeCase struct {
	*testing.T
	ctx  context.Context
	open func(pageSize int) ports.ConnectionStore
	now  time.Time
}

func newStoreCase(t *testing.T, h StoreHarness) *storeCase {
	open := h.NewTable(t)
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	t.Cleanup(cancel)
	return &storeCase{T: t, ctx: ctx, open: open, now: time.Now()}
}

// live returns a connection that does not expire during the test.
func (c *storeCase) live(id domain.ConnectionID) domain.Connection {
	return domain.Connection{ID: id, RegisteredAt: c.now, ExpiresAt: c.now.Add(2 * time.Hour)}
}

// fill puts live connections.
func (c *storeCase) fill(store ports.ConnectionStore, ids ...domain.ConnectionID) {
	c.Helper()
	for _, id := range ids {
		if err := store.Put(c.ctx, c.live(id)); err != nil {
			c.Fatalf("Put %q: %v", id, err)
		}
	}
}

func (c *storeCase) delete(store ports.ConnectionStore, ids ...domain.ConnectionID) {
	c.Helper()
	if err := store.Delete(c.ctx, ids...); err != nil {
		c.Fatalf("Delete of %d ids: %v", len(ids), err)
	}
}

// maxPages is far more than any scan in these tests needs.
const maxPages = 2000

// scan reads a segment to its end and returns its rows. After each page but the
// last it calls between, unless that is nil.
func (c *storeCase) scan(
	store ports.ConnectionStore, segment domain.Segment, between func(ports.Page),
) []domain.Connection {
	c.Helper()
	var rows []domain.Connection
	var from domain.Cursor
	for range maxPages {
		page, err := store.Scan(c.ctx, segment, from)
		if err != nil {
			c.Fatalf("Scan of %+v from %q: %v", segment, from, err)
		}
		rows = append(rows, page.Connections...)
		if page.Next == "" {
			return rows
		}
		if between != nil {
			between(page)
		}
		from = page.Next
	}
	c.Fatalf("the scan of %+v has not ended after %d pages", segment, maxPages)
	return nil
}

// holds checks that a whole scan finds exactly these ids, each once.
func (c *storeCase) holds(store ports.ConnectionStore, want ...domain.ConnectionID) {
	c.Helper()
	c.same(idsOf(c.scan(store, domain.Segment{}, nil)), want)
}

func (c *storeCase) same(got, want []domain.ConnectionID) {
	c.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		c.Errorf("the scan found\n%q, want\n%q", got, want)
	}
}

func idsOf(rows []domain.Connection) []domain.ConnectionID {
	ids := make([]domain.ConnectionID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids
}

// idsLike returns n ids like "prefix-7".
func idsLike(prefix string, n int) []domain.ConnectionID {
	ids := make([]domain.ConnectionID, n)
	for i := range ids {
		ids[i] = domain.ConnectionID(fmt.Sprintf("%s-%d", prefix, i))
	}
	return ids
}
