package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

func newRegistry() (*session.Registry, *memstore.Store) {
	store := memstore.New(10)
	return &session.Registry{
		Connections: store, Subscriptions: memstore.NewSubscriptions(10, store),
		Lifetime: time.Hour, MaxRooms: session.DefaultMaxRooms,
	}, store
}

func registered(t *testing.T, store *memstore.Store) (all []domain.ConnectionID) {
	t.Helper()
	page, err := store.Scan(context.Background(), domain.Segment{}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range page.Connections {
		all = append(all, c.ID)
	}
	return all
}

func TestAConnectionWithoutAnIDIsNotRegistered(t *testing.T) {
	registry, store := newRegistry()
	for _, id := range []domain.ConnectionID{"", "\xff", domain.ConnectionID(strings.Repeat("x", 2049))} {
		wantCode(t, registry.Connect(context.Background(), id, domain.Principal{}), domain.Internal)
		wantCode(t, registry.Disconnect(context.Background(), id, domain.Principal{}), domain.Internal)
	}
	if got := registered(t, store); len(got) > 0 {
		t.Errorf("registered: %q", got)
	}
}

func TestARegisteredConnectionExpiresAfterItsLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, store := newRegistry()
		ctx := context.Background()
		for _, id := range []domain.ConnectionID{"stays", "leaves"} {
			if err := registry.Connect(ctx, id, domain.Principal{}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // reported twice
			if err := registry.Disconnect(ctx, "leaves", domain.Principal{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := registered(t, store); !slices.Equal(got, []domain.ConnectionID{"stays"}) {
			t.Errorf("registered: %v", got)
		}
		time.Sleep(time.Hour) // virtual
		if got := registered(t, store); len(got) != 1 {
			t.Errorf("registered at the end of their lifetime: %v", got)
		}
		time.Sleep(15 * time.Minute)
		if got := registered(t, store); len(got) != 0 {
			t.Errorf("registered long after it: %v", got)
		}
	})
}

// A token can expire before the connection does, but it never makes a row last longer.
func TestAConnectionExpiresWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, store := newRegistry()
		for id, validFor := range map[domain.ConnectionID]time.Duration{"brief": time.Minute, "long": 100 * time.Hour} {
			who := domain.Principal{User: "alice", ExpiresAt: time.Now().Add(validFor)}
			if err := registry.Connect(context.Background(), id, who); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute - time.Millisecond) // virtual
		if got := registered(t, store); len(got) != 2 {
			t.Errorf("registered before the token expires: %v", got)
		}
		time.Sleep(time.Millisecond)
		if got := registered(t, store); !slices.Equal(got, []domain.ConnectionID{"long"}) {
			t.Errorf("registered after it: %v", got)
		}
		time.Sleep(74 * time.Minute)
		if got := registered(t, store); len(got) != 0 {
			t.Errorf("registered after the lifetime: %v", got)
		}
	})
}

func wantCode(t *testing.T, err error, code domain.Code) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}
