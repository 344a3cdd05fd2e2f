package memstore

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestConformance(t *testing.T) {
	porttest.TestConnectionStore(t, porttest.StoreHarness{
		NewTable: func(*testing.T) func(int) ports.ConnectionStore {
			return func(pageSize int) ports.ConnectionStore { return New(pageSize) }
		},
	})
}

func TestSubscriptions(t *testing.T) {
	porttest.TestSubscriptionStore(t, porttest.SubscriptionHarness{
		NewTable: func(*testing.T) (ports.ConnectionStore, func(int) ports.SubscriptionStore) {
			connections := New(10)
			return connections, func(pageSize int) ports.SubscriptionStore { return NewSubscriptions(pageSize, connections) }
		},
	})
}

// TestEmptyPage checks that the fake has a surprise of the real table: an empty page that
// is not the last.
func TestEmptyPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(2)
		for i := range 4 {
			put(t, store, domain.ConnectionID(fmt.Sprint(i)), time.Minute)
		}
		time.Sleep(time.Minute)
		page, err := store.Scan(t.Context(), domain.Segment{}, "")
		if err != nil || len(page.Connections) != 0 || page.Next == "" {
			t.Errorf("the first of two pages of expired rows: %+v, %v", page, err)
		}
		if n := store.rows.Load(); n != 2 {
			t.Errorf("%d rows are held after two expired ones were read, want 2", n)
		}
	})
}

// TestBoundary: as in DynamoDB, an exactly full page does not know that it is the last.
func TestBoundary(t *testing.T) {
	store := New(2)
	put(t, store, "a", time.Hour)
	put(t, store, "b", time.Hour)
	page, err := store.Scan(t.Context(), domain.Segment{}, "")
	if err != nil || len(page.Connections) != 2 || page.Next == "" {
		t.Fatalf("the first page: %+v, %v", page, err)
	}
	page, err = store.Scan(t.Context(), domain.Segment{}, page.Next)
	if err != nil || len(page.Connections) != 0 || page.Next != "" {
		t.Errorf("the second page: %+v, %v", page, err)
	}
}

// TestSameOrderEverywhere: a replayed run must scan in the same order.
func TestSameOrderEverywhere(t *testing.T) {
	var orders [2][]domain.Connection
	for i := range orders {
		store := New(0)
		ids := []domain.ConnectionID{"a", "b", "c", "d", "e"}
		if i == 1 {
			slices.Reverse(ids)
		}
		for _, id := range ids {
			put(t, store, id, time.Hour)
		}
		page, err := store.Scan(t.Context(), domain.Segment{}, "")
		if err != nil {
			t.Fatal(err)
		}
		orders[i] = page.Connections
	}
	for i, c := range orders[0] {
		if orders[1][i].ID != c.ID {
			t.Fatalf("one store scans %v, another %v", orders[0], orders[1])
		}
	}
}

func put(tb testing.TB, store *Store, id domain.ConnectionID, ttl time.Duration) {
	tb.Helper()
	now := time.Now()
	c := domain.Connection{ID: id, RegisteredAt: now, ExpiresAt: now.Add(ttl)}
	if err := store.Put(context.Background(), c); err != nil {
		tb.Fatal(err)
	}
}
