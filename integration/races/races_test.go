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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
	"serverless-websocket/integration/environments/awslocal"
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
				reached, err := w.interrupt(requests[first], n, func() fate {
					secondErr = requests[second](t.Context(), w.direct)
					return passes
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

// Of every two requests of which one is made just before a call of the other fails, the
// rows agree in the end, and end with the connection.
func TestAFailureAndAnotherRequest(t *testing.T) {
	w := newTables(t)
	for _, first := range slices.Sorted(maps.Keys(requests)) {
		for _, second := range slices.Sorted(maps.Keys(requests)) {
			for n, reached := 1, true; reached; n++ {
				for _, failure := range []fate{refused, lost} {
					w.reset()
					var err, secondErr error
					reached, err = w.interrupt(requests[first], n, func() fate {
						secondErr = requests[second](t.Context(), w.direct)
						return failure
					})
					if !reached {
						break
					}
					var failed []string
					if err != nil {
						failed = append(failed, first)
					}
					wrong := errors.Join(w.check(failed...), w.kept(first, err, second), w.kept(second, secondErr, first), w.end())
					if wrong != nil {
						t.Errorf("%q before call %d of %q, which is %s, answered %v and %v: %v",
							second, n, first, failure, secondErr, err, wrong)
					}
				}
			}
		}
	}
}

// Whatever a client asks for at once, against the protocol, and whatever fails, the rows
// agree in the end, and end with the connection.
func TestRequestsAtOnce(t *testing.T) {
	const rounds, atOnce = 300, 3
	w := newTables(t)
	seed := uint64(time.Now().UnixNano())
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	names := slices.Sorted(maps.Keys(requests))
	for round := range rounds {
		w.reset()
		if round%2 == 1 {
			w.all(func() fate {
				mu.Lock()
				defer mu.Unlock()
				if random.IntN(20) > 0 {
					return passes
				}
				return []fate{refused, lost}[random.IntN(2)]
			})
		}
		chosen, answers := make([]string, atOnce), make([]error, atOnce)
		for i := range chosen {
			chosen[i] = names[random.IntN(len(names))]
		}
		var group sync.WaitGroup
		for i := range chosen {
			group.Go(func() { answers[i] = requests[chosen[i]](t.Context(), w.hindered) })
		}
		group.Wait()
		w.all(nil)
		var failed []string
		for i, err := range answers {
			if refused := new(domain.Error); errors.As(err, &refused) && refused.Code == domain.Unavailable {
				failed = append(failed, chosen[i])
			}
		}
		if wrong := errors.Join(w.check(failed...), w.end()); wrong != nil {
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
			reached, err := w.interrupt(requests[name], n, func() fate { return refused })
			if !reached {
				break
			}
			if err == nil && strings.HasPrefix(name, "renew") {
				continue // it has gone on by itself
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
