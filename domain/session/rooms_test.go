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

// However many requests are under way together, the limit holds.
func TestTheLimitOfRoomsHoldsForRequestsInParallel(t *testing.T) {
	for range 50 {
		w := newWorld(t)
		w.connect("a", alice)
		var requests sync.WaitGroup
		for i := range 8 {
			requests.Go(func() { _ = w.Join(t.Context(), "a", alice, fmt.Sprint(i)) })
		}
		requests.Wait()
		rooms, err := w.subscriptions.SubscriptionStore.Subscriptions(t.Context(), "a")
		if err != nil || len(rooms) > 3+1 { // and the user
			t.Fatalf("in %d rooms, %v", len(rooms)-1, err)
		}
	}
}

// Requests that have written their rooms, but not looked yet, count.
func TestTheLimitOfRoomsCountsRequestsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.join("a", alice, "goals", "chess")
	underWay := func() error {
		for _, room := range []string{"x", "y"} {
			c, err := w.connections.ConnectionStore.Get(t.Context(), "a")
			if err = errors.Join(err, w.subscriptions.SubscriptionStore.Subscribe(t.Context(),
				domain.Subscription{To: domain.ToRoom(room), Connection: c})); err != nil {
				return err
			}
		}
		return nil
	}
	w.subscriptions.first("Subscribe", underWay)
	wantCode(t, w.Join(t.Context(), "a", alice, "new"), domain.TooManyRooms)
	w.members(domain.ToRoom("new"))
	w.subscriptions.then("Subscribe", func() error { return errors.New("answer lost") })
	if err := w.Leave(t.Context(), "a", alice, "x"); err != nil {
		t.Fatal(err)
	}
	if err := w.Leave(t.Context(), "a", alice, "y"); err != nil {
		t.Fatal(err)
	}
	w.subscriptions.first("Subscribe", underWay)
	wantCode(t, w.Join(t.Context(), "a", alice, "new"), domain.Unavailable)
	w.members(domain.ToRoom("new"))
	w.join("a", alice, "goals") // which it was in before
	w.members(goals, "a")
}

// A request to join and the end of its connection, at each step of the one.
func TestAJoinThatRacesTheEndOfItsConnection(t *testing.T) {
	end := func(w *world) func() error {
		return func() error { return w.Disconnect(context.Background(), "a", alice) }
	}
	for name, interrupt := range map[string]func(*world){
		"before it subscribes": func(w *world) { w.subscriptions.then("Subscriptions", end(w)) },
		"after it subscribed":  func(w *world) { w.subscriptions.then("Subscribe", end(w)) },
	} {
		w := newWorld(t)
		w.connect("a", alice)
		interrupt(w)
		wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unauthenticated)
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

// Of a join and a leave under way together one wins, and wins both rows.
func TestAJoinAndALeaveTogether(t *testing.T) {
	for name, interrupt := range map[string]func(*world){
		"the leave in the join": func(w *world) {
			w.subscriptions.then("Subscribe", func() error { return w.Leave(context.Background(), "a", alice, "goals") })
		},
		"the join in the leave": func(w *world) {
			w.subscriptions.then("Unsubscribe", func() error { return w.Join(context.Background(), "a", alice, "goals") })
		},
	} {
		w := newWorld(t)
		w.connect("a", alice)
		interrupt(w)
		if name == "the leave in the join" {
			w.join("a", alice, "goals")
		} else if err := w.Leave(t.Context(), "a", alice, "goals"); err != nil {
			t.Fatal(err)
		}
		if w.agree("a", goals); t.Failed() {
			t.Fatal(name)
		}
	}
}

// A join and a leave of which each would undo what the other has written, time after time,
// if they kept in step.
func TestAJoinAndALeaveInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connect("a", alice)
		w.connections.take(map[string]time.Duration{"Get": time.Millisecond})
		w.subscriptions.take(map[string]time.Duration{
			"Subscribe": 2 * time.Millisecond, "Subscriptions": time.Millisecond,
			"Unsubscribe": time.Millisecond / 2, "Subscribed": 7 * time.Millisecond / 2,
		})
		left := make(chan error)
		go func() { left <- w.Leave(context.Background(), "a", alice, "goals") }()
		if err := errors.Join(w.Join(t.Context(), "a", alice, "goals"), <-left); err != nil {
			t.Error(err)
		}
		w.agree("a", goals)
	})
}

func TestAStoreThatFailsIsUnavailable(t *testing.T) {
	for _, method := range []string{"Subscriptions", "Subscribe"} {
		w := newWorld(t)
		w.connect("a", alice)
		w.subscriptions.then(method, func() error { return errors.New("down") })
		wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
	}
	w := newWorld(t)
	w.connect("a", alice)
	w.connections.then("Get", func() error { return errors.New("down") })
	wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
}

// A member that joins again stays one, whatever fails, and so does one that was told so
// while a second request of its own for the same room failed.
func TestAFailureEndsNoMembership(t *testing.T) {
	down := func() error { return errors.New("down") }
	for _, method := range []string{"Subscriptions", "Subscribe", "Subscribed"} {
		w := newWorld(t)
		w.connect("a", alice)
		w.join("a", alice, "goals")
		w.subscriptions.first(method, down)
		if err := w.Join(t.Context(), "a", alice, "goals"); err != nil {
			wantCode(t, err, domain.Unavailable)
		}
		w.members(goals, "a")
	}
	w := newWorld(t)
	w.connect("a", alice)
	w.subscriptions.first("Subscribe", func() error {
		w.join("a", alice, "goals")
		w.subscriptions.then("Subscribe", down)
		return nil
	})
	wantCode(t, w.Join(t.Context(), "a", alice, "goals"), domain.Unavailable)
	w.members(goals, "a")
}

// What a request to join has written goes again when its time is over before it could
// look, and a renewal has taken the permission away meanwhile.
func TestAJoinWhoseTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["less"] = domain.Principal{User: "alice", Scope: domain.NewScope("room:chess"), ExpiresAt: time.Now().Add(10 * time.Minute)}
		ctx, cancel := context.WithCancel(t.Context())
		w.subscriptions.first("Subscribe", func() error {
			_, err := w.Authenticate(context.Background(), "a", who, "less")
			return err
		})
		w.subscriptions.then("Subscribe", func() error {
			cancel()
			return nil
		})
		wantCode(t, w.Join(ctx, "a", who, "new"), domain.Unavailable)
		w.members(domain.ToRoom("new"))
		w.members(domain.ToRoom("chess"), "a")
	})
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
