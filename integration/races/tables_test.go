package races

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// tables are those of a registry whose requests a test can interrupt.
type tables struct {
	*testing.T
	names    [2]string
	direct   *session.Registry
	hindered *session.Registry
	mu       sync.Mutex
	count    int
	at       int // the call before which to interrupt; none if zero
	what     func() fate
	fate     func() fate // of all other calls; they pass if nil
}

// fate is what becomes of a call of a table.
type fate string

const (
	passes  fate = "passes"
	refused fate = "refused" // it has no effect
	lost    fate = "lost"    // it has an effect, but no answer
)

func newTables(t *testing.T) *tables {
	w := &tables{T: t, names: [2]string{awslocal.CreateTable(t), awslocal.CreateSubscriptionTable(t)}}
	w.direct = w.registry(awslocal.DynamoDBEndpoint(t))
	w.hindered = w.registry(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), w.pass))
	return w
}

func (w *tables) registry(endpoint string) *session.Registry {
	client, opts := awslocal.DynamoDBAt(endpoint), dynamostore.Options{Timeout: patience, MaxAttempts: 1}
	tokens := map[string]domain.Principal{
		"long":  {User: "alice", ExpiresAt: racing.ExpiresAt.Add(20 * time.Minute)},
		"short": {User: "alice", ExpiresAt: racing.ExpiresAt.Add(-5 * time.Minute)},
		"less":  {User: "alice", ExpiresAt: racing.ExpiresAt.Add(10 * time.Minute), Scope: domain.NewScope("room:chess")},
	}
	return &session.Registry{
		Connections:   dynamostore.New(client, w.names[0], opts),
		Subscriptions: dynamostore.NewSubscriptions(client, w.names[1], w.names[0], opts),
		Lifetime:      time.Hour, MaxRooms: 3,
		Verify: func(_ context.Context, token string) (domain.Principal, error) { return tokens[token], nil },
	}
}

func (w *tables) pass(rw http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
	w.mu.Lock()
	w.count++
	what := w.fate
	if w.count == w.at {
		what = w.what
	}
	w.mu.Unlock()
	end := passes
	if what != nil {
		end = what()
	}
	switch end {
	case passes:
		next.ServeHTTP(rw, r)
		return
	case lost:
		next.ServeHTTP(httptest.NewRecorder(), r)
	}
	awslocal.WriteError(rw, http.StatusInternalServerError, "InternalServerError")
}

// reset connects the client anew, and joins goals and chess.
func (w *tables) reset() {
	w.Helper()
	r, ctx := w.direct, w.Context()
	if err := errors.Join(
		r.Connections.Delete(ctx, racer), r.Subscriptions.Clear(ctx, racer), r.Connect(ctx, racer, racing),
		r.Join(ctx, racer, racing, "goals"), r.Join(ctx, racer, racing, "chess"),
	); err != nil {
		w.Fatal(err)
	}
}

// all sets what becomes of all calls from now on.
func (w *tables) all(what func() fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fate = what
}

// interrupt makes a request, and does something else before its nth call of a table. It
// reports false if there are fewer calls.
func (w *tables) interrupt(request func(context.Context, *session.Registry) error, n int, what func() fate) (
	bool, error) {
	w.mu.Lock()
	w.count, w.at, w.what = 0, n, what
	w.mu.Unlock()
	err := request(w.Context(), w.hindered)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count >= n, err
}

// check checks what always holds when no request is under way. Some requests have failed:
// a renewal that did can have left other times and rooms than the row has, and the end of
// the connection can have left rows that can be found by the connection.
func (w *tables) check(failed ...string) error {
	w.Helper()
	row, err := w.direct.Connections.Get(w.Context(), racer)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		w.Fatal(err)
	}
	connected := err == nil
	renewed := !slices.ContainsFunc(failed, func(name string) bool { return strings.HasPrefix(name, "renew") })
	ended := !slices.Contains(failed, "disconnect")
	all, err := w.direct.Subscriptions.Subscriptions(w.Context(), racer)
	if err != nil {
		w.Fatal(err)
	}
	if len(all) > 1+w.direct.MaxRooms {
		return fmt.Errorf("in too many rooms: %v", all)
	}
	for to, members := range w.channels() {
		i := slices.IndexFunc(all, func(s domain.Subscription) bool { return s.To == to })
		switch subscribed := len(members) > 0; {
		case subscribed && i < 0, !subscribed && i >= 0 && ended:
			return fmt.Errorf("%s has %v, but the connection has %v", to, members, all)
		case !connected && subscribed && ended:
			return fmt.Errorf("%s has a connection that has ended", to)
		case connected && !subscribed && to.Kind == domain.User:
			return fmt.Errorf("%s has lost its connection", to)
		case !subscribed || !connected || !renewed:
		case !members[0].ExpiresAt.Equal(row.ExpiresAt) || !all[i].Connection.ExpiresAt.Equal(row.ExpiresAt):
			return fmt.Errorf("%s expires at %v and %v, the connection at %v",
				to, members[0].ExpiresAt, all[i].Connection.ExpiresAt, row.ExpiresAt)
		case to.Kind == domain.Room && w.direct.Policy.MayJoin(row.Principal(), to.Name) != nil:
			return fmt.Errorf("in %s, which the token does not permit", to)
		}
	}
	return nil
}

// channels returns who subscribes to each.
func (w *tables) channels() map[domain.Recipients][]domain.Connection {
	w.Helper()
	all := map[domain.Recipients][]domain.Connection{domain.ToUser("alice"): nil}
	for _, name := range []string{"goals", "chess", "new", "other"} {
		all[domain.ToRoom(name)] = nil
	}
	for to := range all {
		page, err := w.direct.Subscriptions.Subscribers(w.Context(), to, domain.Segment{}, "")
		if err != nil {
			w.Fatal(err)
		}
		all[to] = page.Connections
	}
	return all
}

// end ends the connection, and checks that nothing is left of it, whatever failed before.
func (w *tables) end() error {
	w.Helper()
	err := w.direct.Disconnect(w.Context(), racer, racing)
	for to, left := range w.channels() {
		if len(left) > 0 {
			err = errors.Join(err, fmt.Errorf("%s is left with %v", to, left))
		}
	}
	return errors.Join(err, w.check())
}

// rooms returns those that the client is in, sorted.
func (w *tables) rooms() (in []string) {
	w.Helper()
	all, err := w.direct.Subscriptions.Subscriptions(w.Context(), racer)
	if err != nil {
		w.Fatal(err)
	}
	for _, s := range all {
		if s.To.Kind == domain.Room {
			in = append(in, s.To.Name)
		}
	}
	slices.Sort(in)
	return in
}
