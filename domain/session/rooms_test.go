package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func TestAUserJoinsAndLeaves(t *testing.T) {
	w := newWorld(t)
	w.connect("a1", alice)
	w.connect("a2", alice)
	w.connect("b", domain.Principal{User: "bob"})
	w.members(domain.ToUser("alice"), "a1", "a2")
	w.join("a1", alice, "goals", "goals", "chess")
	w.join("b", domain.Principal{User: "bob"}, "goals")
	w.members(goals, "a1", "b")
	for range 2 {
		if err := w.Leave(t.Context(), "a1", alice, "goals"); err != nil {
			t.Fatal(err)
		}
		w.members(goals, "b")
	}
	if err := w.Disconnect(t.Context(), "a1", alice); err != nil {
		t.Fatal(err)
	}
	w.members(domain.ToRoom("chess"))
	w.members(domain.ToUser("alice"), "a2")
	w.nothingIsLeft("a1")
}

func TestWhatARoomRequestWants(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.connect("scoped", domain.Principal{User: "alice", Scope: domain.NewScope("room:chess")})
	w.connect("anonymous", domain.Principal{})
	for name, test := range map[string]struct {
		id   domain.ConnectionID
		who  domain.Principal
		room string
		want domain.Code
	}{
		"no name":           {"a", alice, "", domain.InvalidRoom},
		"a bad name":        {"a", alice, "a b", domain.InvalidRoom},
		"no user":           {"anonymous", domain.Principal{}, "goals", domain.Unauthenticated},
		"no row":            {"never", alice, "goals", domain.Unauthenticated},
		"another's row":     {"a", domain.Principal{User: "eve"}, "goals", domain.Unauthenticated},
		"outside the scope": {"scoped", alice, "goals", domain.Forbidden},
	} {
		wantCode(t, w.Join(t.Context(), test.id, test.who, test.room), test.want)
		_, err := w.Presence(t.Context(), test.id, test.who, test.room, 1, "")
		wantCode(t, err, test.want)
		if test.want != domain.Forbidden { // to leave needs no permission
			wantCode(t, w.Leave(t.Context(), test.id, test.who, test.room), test.want)
		}
		if t.Failed() {
			t.Fatalf("so far: %s", name)
		}
	}
	w.members(goals)
}

func TestAConnectionIsInSoManyRooms(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "1", "2", "3", "3")
	wantCode(t, w.Join(t.Context(), "a", alice, "4"), domain.TooManyRooms)
	w.members(domain.ToRoom("4"))
	if err := w.Leave(t.Context(), "a", alice, "1"); err != nil {
		t.Fatal(err)
	}
	w.join("a", alice, "4")
}

// However many requests are under way together, the limit holds, and who was told to be in
// a room is.
func TestTheLimitOfRoomsHoldsForRequestsInParallel(t *testing.T) {
	for range 50 {
		w := newWorld(t)
		w.connect("a", alice)
		answers := make([]error, 8)
		var requests sync.WaitGroup
		for i := range answers {
			requests.Go(func() { answers[i] = w.Join(t.Context(), "a", alice, fmt.Sprint(i)) })
		}
		requests.Wait()
		granted := 0
		for i, err := range answers {
			if err != nil {
				wantCode(t, err, domain.TooManyRooms)
				w.members(domain.ToRoom(fmt.Sprint(i)))
				continue
			}
			granted++
			w.members(domain.ToRoom(fmt.Sprint(i)), "a")
		}
		if granted != 3 {
			t.Fatalf("%d of 8 requests were granted", granted)
		}
	}
}

// At the limit, another request takes no room away, and one's own rooms can be joined.
func TestAJoinAtTheLimit(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals", "chess")
	w.subscriptions.first("Subscribe", func() error { return w.Join(context.Background(), "a", alice, "x") })
	wantCode(t, w.Join(t.Context(), "a", alice, "new"), domain.TooManyRooms)
	w.members(domain.ToRoom("new"))
	w.join("a", alice, "goals", "chess", "x")
}

// A request to join and the end of its connection, at each step of the one.
func TestAJoinThatRacesTheEndOfItsConnection(t *testing.T) {
	end := func(w *world) func() error {
		return func() error { return w.Disconnect(context.Background(), "a", alice) }
	}
	for name, interrupt := range map[string]func(*world){
		"before it looks":      func(w *world) { w.connections.first("Get", end(w)) },
		"before it subscribes": func(w *world) { w.subscriptions.first("Subscribe", end(w)) },
		"after it subscribed":  func(w *world) { w.subscriptions.then("Subscribe", end(w)) },
	} {
		w := newWorld(t)
		w.connect("a", alice)
		interrupt(w)
		if err := w.Join(t.Context(), "a", alice, "goals"); err != nil || name != "after it subscribed" {
			wantCode(t, err, domain.Unauthenticated)
		}
		w.members(goals)
		w.nothingIsLeft("a")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// A request to join that commits while $disconnect is between its two deletions.
func TestADisconnectThatMeetsAJoin(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.connections.then("Delete", func() error {
		wantCode(t, w.Join(context.Background(), "a", alice, "goals"), domain.Unauthenticated)
		return nil
	})
	if err := w.Disconnect(t.Context(), "a", alice); err != nil {
		t.Fatal(err)
	}
	w.nothingIsLeft("a")
}

func TestAStoreThatFailsIsUnavailable(t *testing.T) {
	down := func() error { return errors.New("down") }
	w := newWorld(t)
	w.connect("a", alice)
	w.connections.then("Get", down)
	wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
	w.subscriptions.first("Subscribe", down)
	wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
	w.members(goals)
	w.subscriptions.first("Unsubscribe", down)
	wantCode(t, w.Leave(t.Context(), "a", alice, "goals"), domain.Unavailable)
}

// A connection whose row changes whenever a request has read it.
func TestAConnectionThatKeepsChanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connect("a", alice)
		var change func() error
		change = func() error {
			w.subscriptions.first("Subscribe", change)
			return ports.ErrNotFound
		}
		w.subscriptions.first("Subscribe", change)
		wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
		w.members(goals)
	})
}

// A member that joins again stays one, whatever fails.
func TestAFailureEndsNoMembership(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals")
	for _, fail := range []func(string, func() error){w.subscriptions.first, w.subscriptions.then} {
		fail("Subscribe", func() error { return errors.New("down") })
		wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
		w.members(goals, "a")
	}
}

func TestRoomsEndWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		brief := domain.Principal{User: "alice", ExpiresAt: time.Now().Add(time.Minute)}
		w.connect("a", brief)
		w.join("a", brief, "goals")
		time.Sleep(time.Minute - time.Millisecond) // virtual
		w.members(goals, "a")
		time.Sleep(time.Millisecond)
		w.members(goals)
		w.members(domain.ToUser("alice"))
		wantCode(t, w.Join(t.Context(), "a", brief, "goals"), domain.Unauthenticated)
	})
}
