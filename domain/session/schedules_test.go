package session_test

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
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// asks are what a client in the rooms goals and chess can ask for.
var asks = map[string]func(*world, domain.Principal) error{
	"join goals":  func(w *world, who domain.Principal) error { return w.Join(context.Background(), "a", who, "goals") },
	"join x":      func(w *world, who domain.Principal) error { return w.Join(context.Background(), "a", who, "x") },
	"join y":      func(w *world, who domain.Principal) error { return w.Join(context.Background(), "a", who, "y") },
	"leave goals": func(w *world, who domain.Principal) error { return w.Leave(context.Background(), "a", who, "goals") },
	"leave x":     func(w *world, who domain.Principal) error { return w.Leave(context.Background(), "a", who, "x") },
	"renew long":  renewal("long"),
	"renew short": renewal("short"),
	"renew less":  renewal("less"),
	"disconnect":  func(w *world, who domain.Principal) error { return w.Disconnect(context.Background(), "a", who) },
}

func renewal(token string) func(*world, domain.Principal) error {
	return func(w *world, who domain.Principal) error {
		_, err := w.Authenticate(context.Background(), "a", who, token)
		return err
	}
}

// Three requests at once, in random schedules: each call of a table takes a random time,
// in virtual time, and in half of the schedules one in 20 fails before or after its effect.
func TestRandomSchedules(t *testing.T) {
	for seed := range uint64(5000) {
		synctest.Test(t, func(t *testing.T) {
			random, w, now := rand.New(rand.NewPCG(seed, 0)), newWorld(t), time.Now()
			who := domain.Principal{User: "alice", ExpiresAt: now.Add(20 * time.Minute)}
			w.tokens["long"] = domain.Principal{User: "alice", ExpiresAt: now.Add(40 * time.Minute)}
			w.tokens["short"] = domain.Principal{User: "alice", ExpiresAt: now.Add(10 * time.Minute)}
			less := domain.NewScope("room:chess")
			w.tokens["less"] = domain.Principal{User: "alice", ExpiresAt: now.Add(30 * time.Minute), Scope: less}
			w.connect("a", who)
			w.join("a", who, "goals", "chess")
			answers := w.schedule(random, who, seed%2 == 1)
			if wrong := w.wrong(answers); wrong != nil {
				t.Fatalf("schedule %d: %v: %v", seed, answers, wrong)
			}
		})
	}
}

// schedule makes three requests at once and returns their answers.
func (w *world) schedule(random *rand.Rand, who domain.Principal, fails bool) map[string]error {
	var mu sync.Mutex
	pause := func(most time.Duration) {
		mu.Lock()
		takes := time.Duration(random.Int64N(int64(most)))
		mu.Unlock()
		time.Sleep(takes)
	}
	step := func() error {
		pause(time.Second)
		mu.Lock()
		defer mu.Unlock()
		if fails && random.IntN(40) == 0 {
			return errors.New("down")
		}
		return nil
	}
	w.connections.always(step)
	w.subscriptions.always(step)
	answers := map[string]error{}
	names := slices.Sorted(maps.Keys(asks))
	var requests sync.WaitGroup
	for _, i := range random.Perm(len(names))[:3] {
		requests.Go(func() {
			pause(10 * time.Second)
			err := asks[names[i]](w, who)
			mu.Lock()
			defer mu.Unlock()
			answers[names[i]] = err
		})
	}
	requests.Wait()
	w.connections.always(nil)
	w.subscriptions.always(nil)
	return answers
}

// wrong checks the rows after requests.
func (w *world) wrong(answers map[string]error) error {
	row, missing := w.connections.Get(w.Context(), "a")
	all, err := w.subscriptions.Subscriptions(w.Context(), "a")
	if err != nil {
		return err
	}
	failed := func(name string) bool {
		refused := new(domain.Error)
		return errors.As(answers[name], &refused) && refused.Code == domain.Unavailable
	}
	in := map[string]bool{}
	for _, s := range all {
		in[s.To.Name] = true
		switch {
		case errors.Is(missing, ports.ErrNotFound):
			if !failed("disconnect") {
				return fmt.Errorf("has ended, but has %s", s.To)
			}
		case failed("renew long"), failed("renew short"), failed("renew less"):
		case !s.Connection.ExpiresAt.Equal(row.ExpiresAt):
			return fmt.Errorf("%s expires at %v, the connection at %v", s.To, s.Connection.ExpiresAt, row.ExpiresAt)
		case s.To.Kind == domain.Room && w.Policy.MayJoin(row.Principal(), s.To.Name) != nil:
			return fmt.Errorf("in %s without permission", s.To)
		}
	}
	if len(all) > 1+w.MaxRooms || missing == nil && !in["alice"] {
		return fmt.Errorf("in %v", all)
	}
	return kept(answers, in)
}

// kept checks what was answered, unless another request undoes it.
func kept(answers map[string]error, in map[string]bool) error {
	asked := func(name string) bool { _, ok := answers[name]; return ok }
	for name, err := range answers {
		does, room, _ := strings.Cut(name, " ")
		switch {
		case err != nil:
		case does == "join" && !in[room] && !asked("leave "+room) && !asked("renew less") && !asked("disconnect"),
			does == "leave" && in[room] && !asked("join "+room):
			return fmt.Errorf("not so after %s", name)
		}
	}
	if !in["chess"] && !asked("disconnect") {
		return errors.New("a membership has ended")
	}
	return nil
}
