package session_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/ports"
)

// world is a registry over tables whose calls a test can interrupt.
type world struct {
	*testing.T
	*session.Registry
	*session.History
	log           *messageLog
	conversations *conversations
	connections   *connections
	subscriptions *subscriptions
	tokens        map[string]domain.Principal
	said          int // messages in the log
}

func newWorld(t *testing.T) *world {
	rows := memstore.New(10)
	w := &world{
		T: t, connections: &connections{ConnectionStore: rows}, tokens: map[string]domain.Principal{},
		subscriptions: &subscriptions{SubscriptionStore: memstore.NewSubscriptions(3, rows)},
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
	log := memlog.New(memlog.Options{})
	w.log, w.conversations = &messageLog{MessageLog: log}, &conversations{Conversations: log.Conversations()}
	w.History = &session.History{Registry: w.Registry, Log: w.log, Conversations: w.conversations}
	return w
}

// connections and subscriptions let a test act just before and after their calls.
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
	calls map[string]func() error
	takes map[string]time.Duration
	every func() error // happens before and after each call, in place of others, unless it is nil
}

// take sets how long the calls of methods take from now on.
func (h *hooks) take(takes map[string]time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.takes = takes
}

// always sets what happens from now on before and after each call.
func (h *hooks) always(what func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.every = what
}

// first and then set what happens once, before and after the next call of a method.
func (h *hooks) first(method string, what func() error) { h.set("before "+method, what) }
func (h *hooks) then(method string, what func() error)  { h.set("after "+method, what) }

func (h *hooks) set(when string, what func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls == nil {
		h.calls = make(map[string]func() error)
	}
	h.calls[when] = what
}

// around makes a call unless what happens before it fails.
func (h *hooks) around(method string, call func() error) error {
	if err := h.happens("before " + method); err != nil {
		return err
	}
	h.mu.Lock()
	takes := h.takes[method]
	h.mu.Unlock()
	time.Sleep(takes) // virtual
	return errors.Join(call(), h.happens("after "+method))
}

func (h *hooks) happens(when string) error {
	h.mu.Lock()
	what := h.calls[when]
	delete(h.calls, when)
	if h.every != nil {
		what = h.every
	}
	h.mu.Unlock()
	if what == nil {
		return nil
	}
	return what()
}

func (c *connections) Get(ctx context.Context, id domain.ConnectionID) (row domain.Connection, err error) {
	err = c.around("Get", func() error {
		row, err = c.ConnectionStore.Get(ctx, id)
		return err
	})
	return row, err
}

func (c *connections) Replace(ctx context.Context, row domain.Connection) error {
	return c.around("Replace", func() error { return c.ConnectionStore.Replace(ctx, row) })
}

func (c *connections) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	return c.around("Delete", func() error { return c.ConnectionStore.Delete(ctx, ids...) })
}

func (s *subscriptions) Subscribe(ctx context.Context, sub domain.Subscription, most int) error {
	return s.around("Subscribe", func() error { return s.SubscriptionStore.Subscribe(ctx, sub, most) })
}

func (s *subscriptions) Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error {
	return s.around("Extend", func() error { return s.SubscriptionStore.Extend(ctx, c, to...) })
}

func (s *subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	return s.around("Unsubscribe", func() error { return s.SubscriptionStore.Unsubscribe(ctx, sub) })
}

func (s *subscriptions) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	return s.around("Clear", func() error { return s.SubscriptionStore.Clear(ctx, ids...) })
}

func (s *subscriptions) Subscribed(ctx context.Context, sub domain.Subscription) (in bool, err error) {
	err = s.around("Subscribed", func() error {
		in, err = s.SubscriptionStore.Subscribed(ctx, sub)
		return err
	})
	return in, err
}

func (s *subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) (all []domain.Subscription, err error) {
	err = s.around("Subscriptions", func() error {
		all, err = s.SubscriptionStore.Subscriptions(ctx, id)
		return err
	})
	return all, err
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

// nothingSince returns the place of a log without messages.
func (w *world) nothingSince(at time.Time) domain.Position {
	w.Helper()
	end, err := w.log.MessageLog.End(w.Context(), domain.ToRoom("never"))
	if err != nil {
		w.Fatal(err)
	}
	_, log, _ := end.Nothing()
	return domain.NothingSince(at, log)
}
