package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
)

// brief connects alice for a minute, in two rooms, and returns who she is.
func (w *world) brief() domain.Principal {
	w.Helper()
	who := domain.Principal{User: "alice", ExpiresAt: time.Now().Add(time.Minute)}
	w.connect("a", who)
	w.join("a", who, "goals", "chess")
	return who
}

func TestANewerTokenCountsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		until := time.Now().Add(10 * time.Minute)
		w.tokens["newer"] = domain.Principal{User: "alice", Scope: domain.NewScope("room:chess:read"), ExpiresAt: until}
		var renewed time.Time
		w.Renewed = func(id domain.ConnectionID, at time.Time) { renewed = at }
		if expires, err := w.Authenticate(t.Context(), "a", who, "newer"); err != nil || !expires.Equal(until) || !renewed.Equal(until) {
			t.Fatalf("until %v, told %v, %v; want %v", expires, renewed, err, until)
		}
		w.members(goals) // which the scope does not permit
		wantCode(t, w.Join(t.Context(), "a", who, "goals"), domain.Forbidden)
		time.Sleep(9 * time.Minute) // virtual; the first token has expired
		w.members(domain.ToRoom("chess"), "a")
		w.members(domain.ToUser("alice"), "a")
		c, err := w.Caller(t.Context(), "a", who)
		if err != nil || c.Scope != domain.NewScope("room:chess:read") {
			t.Errorf("%+v, %v", c, err)
		}
		time.Sleep(time.Minute)
		w.members(domain.ToRoom("chess"))
	})
}

// A token never makes a row outlive its connection.
func TestATokenThatOutlivesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["long"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(1000 * time.Hour)}
		w.tokens["endless"] = domain.Principal{User: "alice"}
		for token := range w.tokens {
			if expires, err := w.Authenticate(t.Context(), "a", who, token); err != nil || time.Until(expires) > 75*time.Minute {
				t.Errorf("%s: until %v, %v", token, expires, err)
			}
		}
	})
}

func TestTokensThatChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.connect("anonymous", domain.Principal{})
		later := time.Now().Add(time.Hour)
		w.tokens["eve's"] = domain.Principal{User: "eve", ExpiresAt: later}
		w.tokens["good"] = domain.Principal{User: "alice", ExpiresAt: later}
		for name, test := range map[string]struct {
			id    domain.ConnectionID
			who   domain.Principal
			token string
			want  domain.Code
		}{
			"a bad one":               {"a", who, "bad", domain.InvalidToken},
			"another user's":          {"a", who, "eve's", domain.Forbidden},
			"an anonymous connection": {"anonymous", domain.Principal{}, "good", domain.Unauthenticated},
			"no connection":           {"never", who, "good", domain.Unauthenticated},
		} {
			if _, err := w.Authenticate(t.Context(), test.id, test.who, test.token); err == nil {
				t.Errorf("%s: accepted", name)
			} else {
				wantCode(t, err, test.want)
			}
		}
		time.Sleep(time.Minute)
		w.members(goals)
		_, err := w.Authenticate(t.Context(), "a", who, "good")
		wantCode(t, err, domain.Unauthenticated) // too late
	})
}

// A request to join that read the row before a renewal wrote it does not keep what the
// old token permitted.
func TestAJoinThatRacesARenewal(t *testing.T) {
	renew := func(w *world, who domain.Principal) func() error {
		return func() error {
			_, err := w.Authenticate(context.Background(), "a", who, "newer")
			return err
		}
	}
	for name, interrupt := range map[string]func(*world, domain.Principal){
		"after it looked":      func(w *world, who domain.Principal) { w.connections.then("Get", renew(w, who)) },
		"before it subscribes": func(w *world, who domain.Principal) { w.subscriptions.first("Subscribe", renew(w, who)) },
		"after it subscribed":  func(w *world, who domain.Principal) { w.subscriptions.then("Subscribe", renew(w, who)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			who := w.brief()
			w.tokens["newer"] = domain.Principal{User: "alice", Scope: domain.NewScope("room:a"), ExpiresAt: time.Now().Add(10 * time.Minute)}
			interrupt(w, who)
			w.join("a", who, "a")
			interrupt(w, who)
			if err := w.Join(t.Context(), "a", who, "b"); err == nil && name != "after it subscribed" {
				t.Errorf("%s: joins a room that the newer token does not permit", name)
			}
			w.members(domain.ToRoom("b"))
			time.Sleep(9 * time.Minute) // virtual
			w.members(domain.ToRoom("a"), "a")
		})
	}
}

// A renewal finds the subscription that a request to join wrote by the old row, after the
// renewal had looked and before it replaced the row.
func TestARenewalThatRacesAJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.then("Subscriptions", func() error { return w.Join(context.Background(), "a", who, "late") })
		if _, err := w.Authenticate(t.Context(), "a", who, "newer"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute) // virtual
		w.members(domain.ToRoom("late"), "a")
	})
}

// A renewal does not undo a leave that was answered while it was under way.
func TestARenewalThatRacesALeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.first("Extend", func() error { return w.Leave(context.Background(), "a", who, "goals") })
		if _, err := w.Authenticate(t.Context(), "a", who, "newer"); err != nil {
			t.Fatal(err)
		}
		w.members(goals)
		w.members(domain.ToRoom("chess"), "a")
	})
}

// Of two renewals under way together, the subscriptions follow the one whose row stays.
func TestRenewalsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		long := time.Now().Add(30 * time.Minute)
		w.tokens["short"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(5 * time.Minute)}
		w.tokens["long"] = domain.Principal{User: "alice", ExpiresAt: long}
		w.connections.then("Replace", func() error {
			_, err := w.Authenticate(context.Background(), "a", who, "long")
			return err
		})
		if expires, err := w.Authenticate(t.Context(), "a", who, "short"); err != nil || !expires.Equal(long) {
			t.Fatalf("until %v, %v; want %v", expires, err, long)
		}
		time.Sleep(29 * time.Minute) // virtual
		w.members(goals, "a")
		w.members(domain.ToUser("alice"), "a")
	})
}

// A renewal of a connection that ends meanwhile leaves nothing behind.
func TestARenewalThatRacesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.then("Subscriptions", func() error { return w.Disconnect(context.Background(), "a", who) })
		_, err := w.Authenticate(t.Context(), "a", who, "newer")
		wantCode(t, err, domain.Unauthenticated)
		w.nothingIsLeft("a")
	})
}

// After a failure in between, no subscription ends before its connection does.
func TestARenewalThatFailsHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.then("Extend", func() error { return errors.New("down") })
		_, err := w.Authenticate(t.Context(), "a", who, "newer")
		wantCode(t, err, domain.Unavailable)
		time.Sleep(time.Minute) // virtual
		_, err = w.Caller(t.Context(), "a", who)
		wantCode(t, err, domain.Unauthenticated)
	})
}

// When it is unknown whether the row was replaced, or there is no time left, the
// subscriptions follow the row as it is.
func TestARenewalThatFailsWithTheRow(t *testing.T) {
	late, chess := domain.ToRoom("late"), domain.ToRoom("chess")
	for name, test := range map[string]struct {
		replaced bool
		fail     func(w *world, cancel func())
	}{
		"answer lost": {true, func(w *world, _ func()) {
			w.connections.then("Replace", func() error { return errors.New("lost") })
		}},
		"out of time": {true, func(w *world, cancel func()) {
			w.connections.then("Replace", func() error { cancel(); return nil })
		}},
		"not written": {false, func(w *world, _ func()) {
			w.connections.first("Replace", func() error {
				w.join("a", alice, "late")
				return errors.New("down")
			})
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			who := w.brief()
			w.tokens["less"] = domain.Principal{
				User: "alice", Scope: domain.NewScope("room:chess"), ExpiresAt: time.Now().Add(10 * time.Minute),
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.connections.first("Replace", func() error { return w.Join(context.Background(), "a", who, "late") })
			test.fail(w, cancel)
			if _, err := w.Authenticate(ctx, "a", who, "less"); err != nil || name != "out of time" {
				wantCode(t, err, domain.Unavailable)
			}
			if test.replaced {
				w.members(late)
			} else {
				w.members(late, "a")
			}
			w.members(chess, "a")
			time.Sleep(time.Minute) // virtual
			if test.replaced {
				w.members(chess, "a")
			} else {
				w.members(chess)
			}
			if t.Failed() {
				t.Fatal(name)
			}
		})
	}
}

// After a renewal that failed halfway, a room that is joined again expires with the row.
func TestAJoinAfterARenewalThatFailedHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.then("Extend", func() error { return errors.New("down") })
		_, err := w.Authenticate(t.Context(), "a", who, "newer")
		wantCode(t, err, domain.Unavailable)
		w.join("a", who, "goals")
		time.Sleep(time.Minute) // virtual
		w.members(goals)
	})
}

// A request without a time limit is not given one.
func TestARenewalThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.brief()
		w.tokens["newer"] = domain.Principal{User: "alice", ExpiresAt: time.Now().Add(10 * time.Minute)}
		w.subscriptions.take(map[string]time.Duration{"Extend": 2 * time.Second})
		if _, err := w.Authenticate(t.Context(), "a", who, "newer"); err != nil {
			t.Error(err)
		}
	})
}
