// Package races checks that requests of one client that run together, or fail halfway and
// are repeated, leave the tables in agreement: the use cases on the real adapters, with
// something happening at each call of a table.
package races

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// patience is long enough that even on a busy machine only a hang exceeds it.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

// requests are what a client in the rooms goals and chess can ask for.
var requests = map[string]func(context.Context, *session.Registry) error{
	"join a new room":  func(ctx context.Context, r *session.Registry) error { return r.Join(ctx, racer, racing, "new") },
	"join another":     func(ctx context.Context, r *session.Registry) error { return r.Join(ctx, racer, racing, "other") },
	"join it again":    func(ctx context.Context, r *session.Registry) error { return r.Join(ctx, racer, racing, "goals") },
	"leave":            func(ctx context.Context, r *session.Registry) error { return r.Leave(ctx, racer, racing, "goals") },
	"leave a new room": func(ctx context.Context, r *session.Registry) error { return r.Leave(ctx, racer, racing, "new") },
	"renew for long":   renewal("long"),
	"renew for short":  renewal("short"),
	"renew for less":   renewal("less"),
	"disconnect":       func(ctx context.Context, r *session.Registry) error { return r.Disconnect(ctx, racer, racing) },
}

func renewal(token string) func(context.Context, *session.Registry) error {
	return func(ctx context.Context, r *session.Registry) error {
		_, err := r.Authenticate(ctx, racer, racing, token)
		return err
	}
}

const racer = domain.ConnectionID("L0SM9cOFvHcCIhw=")

var racing = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(20 * time.Minute).Truncate(time.Second)}

// tables are those of a registry whose requests a test can interrupt.
type tables struct {
	*testing.T
	names    [2]string
	direct   *session.Registry
	hindered *session.Registry
	mu       sync.Mutex
	count    int
	at       int         // the request before which to interrupt; none if zero
	what     func() bool // whether the request still reaches the table
}

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
		Connections: dynamostore.New(client, w.names[0], opts), Subscriptions: dynamostore.NewSubscriptions(client, w.names[1], opts),
		Lifetime: time.Hour, MaxRooms: 3,
		Verify: func(_ context.Context, token string) (domain.Principal, error) { return tokens[token], nil },
	}
}

func (w *tables) pass(rw http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
	w.mu.Lock()
	w.count++
	var what func() bool
	if w.count == w.at {
		what = w.what
	}
	w.mu.Unlock()
	if what != nil && !what() {
		awslocal.WriteError(rw, http.StatusInternalServerError, "InternalServerError")
		return
	}
	next.ServeHTTP(rw, r)
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

// interrupt makes a request, and does something else before its nth call of a table. It
// reports false if there are fewer calls.
func (w *tables) interrupt(request func(context.Context, *session.Registry) error, n int, what func() bool) (bool, error) {
	w.mu.Lock()
	w.count, w.at, w.what = 0, n, what
	w.mu.Unlock()
	err := request(w.Context(), w.hindered)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count >= n, err
}

// check checks what always holds when no request is under way.
func (w *tables) check() error {
	w.Helper()
	row, err := w.direct.Connections.Get(w.Context(), racer)
	if err != nil && !errors.Is(err, ports.ErrNotFound) {
		w.Fatal(err)
	}
	connected := err == nil
	rooms := map[domain.Recipients]bool{domain.ToUser("alice"): true}
	for _, name := range []string{"goals", "chess", "new", "other"} {
		rooms[domain.ToRoom(name)] = false
	}
	all, err := w.direct.Subscriptions.Subscriptions(w.Context(), racer)
	if err != nil {
		w.Fatal(err)
	}
	if len(all) > 1+w.direct.MaxRooms {
		return fmt.Errorf("in too many rooms: %v", all)
	}
	for to := range rooms {
		page, err := w.direct.Subscriptions.Subscribers(w.Context(), to, domain.Segment{}, "")
		if err != nil {
			w.Fatal(err)
		}
		i := slices.IndexFunc(all, func(s domain.Subscription) bool { return s.To == to })
		switch subscribed := len(page.Connections) > 0; {
		case subscribed != (i >= 0):
			return fmt.Errorf("%s has %v, but the connection has %v", to, page.Connections, all)
		case !connected && subscribed:
			return fmt.Errorf("%s has a connection that has ended", to)
		case connected && !subscribed && to.Kind == domain.User:
			return fmt.Errorf("%s has lost its connection", to)
		case !subscribed:
		case !page.Connections[0].ExpiresAt.Equal(row.ExpiresAt) || !all[i].Connection.ExpiresAt.Equal(row.ExpiresAt):
			return fmt.Errorf("%s expires at %v and %v, the connection at %v", to, page.Connections[0].ExpiresAt, all[i].Connection.ExpiresAt, row.ExpiresAt)
		case to.Kind == domain.Room && w.direct.Policy.MayJoin(row.Principal(), to.Name) != nil:
			return fmt.Errorf("in %s, which the token does not permit", to)
		}
	}
	return nil
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

// joins and leaves are what becomes of rooms after requests.
var (
	joins  = map[string][]string{"join a new room": {"new"}, "join another": {"other"}, "join it again": {"goals"}}
	leaves = map[string][]string{
		"leave": {"goals"}, "leave a new room": {"new"},
		"renew for less": {"goals", "new", "other"}, "disconnect": {"goals", "chess", "new", "other"},
	}
)

// kept checks that a request whose answer was success did what it says, unless the other
// one does the opposite.
func (w *tables) kept(request string, answer error, other string) error {
	w.Helper()
	if answer != nil {
		return nil
	}
	in := w.rooms()
	for _, room := range joins[request] {
		if !slices.Contains(in, room) && !slices.Contains(leaves[other], room) {
			return fmt.Errorf("not in %s after %q", room, request)
		}
	}
	for _, room := range leaves[request] {
		if slices.Contains(in, room) && !slices.Contains(joins[other], room) {
			return fmt.Errorf("in %s after %q", room, request)
		}
	}
	return nil
}

// Of every two requests of a client that are under way together, at every moment of the
// one, the rows agree in the end.
func TestRequestsTogether(t *testing.T) {
	w := newTables(t)
	for _, first := range slices.Sorted(maps.Keys(requests)) {
		for _, second := range slices.Sorted(maps.Keys(requests)) {
			for n := 1; ; n++ {
				w.reset()
				var secondErr error
				reached, err := w.interrupt(requests[first], n, func() bool {
					secondErr = requests[second](t.Context(), w.direct)
					return true
				})
				if !reached {
					break
				}
				wrong := errors.Join(w.check(), w.kept(first, err, second), w.kept(second, secondErr, first))
				if wrong != nil {
					t.Errorf("%q before call %d of %q, which answered %v and %v: %v", second, n, first, secondErr, err, wrong)
				}
			}
		}
	}
}

// Whatever a client asks for at once, against the protocol, the rows agree in the end.
func TestRequestsAtOnce(t *testing.T) {
	const rounds, atOnce = 300, 3
	w := newTables(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	names := slices.Sorted(maps.Keys(requests))
	for round := range rounds {
		w.reset()
		chosen, answers := make([]string, atOnce), make([]error, atOnce)
		var group sync.WaitGroup
		for i := range chosen {
			chosen[i] = names[random.IntN(len(names))]
			group.Go(func() { answers[i] = requests[chosen[i]](t.Context(), w.direct) })
		}
		group.Wait()
		if wrong := w.check(); wrong != nil {
			t.Errorf("seed %d, round %d: %q at once, which answered %v: %v", seed, round, chosen, answers, wrong)
		}
	}
}

// A request that failed at any moment can be made again.
func TestARequestAgain(t *testing.T) {
	w := newTables(t)
	rooms := map[string][]string{
		"join a new room": {"chess", "goals", "new"}, "join another": {"chess", "goals", "other"},
		"join it again": {"chess", "goals"}, "leave": {"chess"}, "leave a new room": {"chess", "goals"},
		"renew for long": {"chess", "goals"}, "renew for short": {"chess", "goals"}, "renew for less": {"chess"}, "disconnect": nil,
	}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		for n := 1; ; n++ {
			w.reset()
			reached, err := w.interrupt(requests[name], n, func() bool { return false })
			if !reached {
				break
			}
			if refused := new(domain.Error); !errors.As(err, &refused) || refused.Code != domain.Unavailable {
				t.Errorf("%q with a failure of call %d answers %v", name, n, err)
			}
			if strings.HasPrefix(name, "join") && !slices.Contains(w.rooms(), "goals") {
				t.Errorf("%q with a failure of call %d ends a membership", name, n)
			}
			if err := requests[name](t.Context(), w.direct); err != nil && name != "disconnect" {
				t.Errorf("%q again, after a failure of call %d: %v", name, n, err)
			}
			if wrong := w.check(); wrong != nil {
				t.Errorf("%q again, after a failure of call %d: %v", name, n, wrong)
			}
			if in := w.rooms(); !slices.Equal(in, rooms[name]) {
				t.Errorf("%q again, after a failure of call %d: in %q, want %q", name, n, in, rooms[name])
			}
		}
	}
}
