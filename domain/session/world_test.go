package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/ports"
)

// world is a registry over tables whose calls a test can interrupt.
type world struct {
	*testing.T
	*session.Registry
	connections   *connections
	subscriptions *subscriptions
	tokens        map[string]domain.Principal
}

func newWorld(t *testing.T) *world {
	w := &world{
		T: t, connections: &connections{ConnectionStore: memstore.New(10)},
		subscriptions: &subscriptions{SubscriptionStore: memstore.NewSubscriptions(3)}, tokens: map[string]domain.Principal{},
	}
	w.Registry = &session.Registry{
		Connections: w.connections, Subscriptions: w.subscriptions, Lifetime: time.Hour, MaxRooms: 3,
		Verify: func(_ context.Context, token string) (domain.Principal, error) {
			p, ok := w.tokens[token]
			if !ok {
				return p, errors.New("no such token")
			}
			return p, nil
		},
	}
	return w
}

// connections and subscriptions call before and after each call that changes or reads
// the table, once.
type connections struct {
	ports.ConnectionStore
	hooks
}

type subscriptions struct {
	ports.SubscriptionStore
	hooks
}

type hooks struct {
	mu    sync.Mutex
	after map[string]func() error
}

// then sets what happens once after the next call of a method.
func (h *hooks) then(method string, what func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.after == nil {
		h.after = make(map[string]func() error)
	}
	h.after[method] = what
}

func (h *hooks) called(method string, err error) error {
	h.mu.Lock()
	what := h.after[method]
	delete(h.after, method)
	h.mu.Unlock()
	if what == nil {
		return err
	}
	return errors.Join(err, what())
}

func (c *connections) Get(ctx context.Context, id domain.ConnectionID) (domain.Connection, error) {
	row, err := c.ConnectionStore.Get(ctx, id)
	return row, c.called("Get", err)
}

func (c *connections) Replace(ctx context.Context, row domain.Connection) error {
	return c.called("Replace", c.ConnectionStore.Replace(ctx, row))
}

func (c *connections) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	return c.called("Delete", c.ConnectionStore.Delete(ctx, ids...))
}

func (s *subscriptions) Subscribe(ctx context.Context, sub domain.Subscription) error {
	return s.called("Subscribe", s.SubscriptionStore.Subscribe(ctx, sub))
}

func (s *subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	return s.called("Unsubscribe", s.SubscriptionStore.Unsubscribe(ctx, sub))
}

func (s *subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error) {
	all, err := s.SubscriptionStore.Subscriptions(ctx, id)
	return all, s.called("Subscriptions", err)
}

var alice = domain.Principal{User: "alice"}

// connect registers a user's connection.
func (w *world) connect(id domain.ConnectionID, who domain.Principal) {
	w.Helper()
	if err := w.Connect(w.Context(), id, who); err != nil {
		w.Fatal(err)
	}
}

func (w *world) join(id domain.ConnectionID, who domain.Principal, rooms ...string) {
	w.Helper()
	for _, room := range rooms {
		if err := w.Join(w.Context(), id, who, room); err != nil {
			w.Fatalf("%s does not join %s: %v", id, room, err)
		}
	}
}

// members checks who gets what is for the recipients.
func (w *world) members(to domain.Recipients, want ...domain.ConnectionID) {
	w.Helper()
	var got []domain.ConnectionID
	for from := domain.Cursor(""); ; {
		page, err := w.subscriptions.Subscribers(w.Context(), to, domain.Segment{}, from)
		if err != nil {
			w.Fatal(err)
		}
		for _, c := range page.Connections {
			got = append(got, c.ID)
		}
		if from = page.Next; from == "" {
			break
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.Errorf("%s has %q, want %q", to, got, want)
	}
}

// nothingIsLeft checks that a connection has no rows.
func (w *world) nothingIsLeft(id domain.ConnectionID) {
	w.Helper()
	left, err := w.subscriptions.SubscriptionStore.Subscriptions(context.WithoutCancel(w.Context()), id)
	if len(left) > 0 || err != nil {
		w.Errorf("%s still subscribes: %+v, %v", id, left, err)
	}
	if row, err := w.connections.ConnectionStore.Get(context.WithoutCancel(w.Context()), id); !errors.Is(err, ports.ErrNotFound) {
		w.Errorf("%s is still registered: %+v, %v", id, row, err)
	}
}

var goals = domain.ToRoom("goals")
