package porttest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// rooms returns subscriptions of one connection, which it registers, to n rooms.
func (c *subscriptionCase) rooms(n int) (all []domain.Subscription) {
	c.Helper()
	for i := range n {
		all = append(all, c.live(domain.ToRoom(fmt.Sprint("room-", i)), "alice", "a"))
	}
	c.register(all[0].Connection)
	return all
}

// tries checks the answer of Subscribe.
func (c *subscriptionCase) tries(store ports.SubscriptionStore, s domain.Subscription, most int, want error) {
	c.Helper()
	if err := store.Subscribe(c.ctx, s, most); !errors.Is(err, want) {
		c.Errorf("Subscribe %+v, at most %d: %v, want %v", s, most, err, want)
	}
}

func (c *subscriptionCase) token() {
	store, scoped := c.open(10), c.live(goals, "alice", "scoped")
	scoped.Connection.Scope = domain.NewScope("room:goals")
	brief := c.live(goals, "alice", "brief")
	brief.Connection.ExpiresAt = c.now.Add(10 * time.Minute)
	for _, s := range []domain.Subscription{c.live(goals, "alice", "a"), scoped, brief} {
		c.tries(store, s, manyRooms, ports.ErrNotFound)
		c.register(s.Connection)
		for what, change := range map[string]func(*domain.Connection){
			"user":           func(other *domain.Connection) { other.User = "eve" },
			"scope":          func(other *domain.Connection) { other.Scope = domain.NewScope("room:chess") },
			"empty scope":    func(other *domain.Connection) { other.Scope = domain.NewScope("") },
			"longer expiry":  func(other *domain.Connection) { other.ExpiresAt = other.ExpiresAt.Add(time.Minute) },
			"shorter expiry": func(other *domain.Connection) { other.ExpiresAt = other.ExpiresAt.Add(-time.Minute) },
		} {
			other := s
			change(&other.Connection)
			c.tries(store, other, manyRooms, ports.ErrNotFound)
			c.subscribed(store, s, false)
			if c.Failed() {
				c.Fatalf("with another %s", what)
			}
		}
		stored, err := c.connections.Get(c.ctx, s.Connection.ID)
		if err != nil {
			c.Fatal(err)
		}
		c.tries(store, domain.Subscription{To: goals, Connection: stored}, manyRooms, nil)
		c.tries(store, s, manyRooms, nil)
		if err := c.connections.Delete(c.ctx, s.Connection.ID); err != nil {
			c.Fatal(err)
		}
		c.tries(store, s, manyRooms, ports.ErrNotFound)
		c.channels(store, s.Connection.ID, goals)
	}
	c.holds(store, goals, "a", "scoped", "brief")
}

// limit also has a connection that has its own channel before, between or after rooms.
func (c *subscriptionCase) limit() {
	for own := range 4 {
		store, rooms := c.open(10), c.rooms(4)
		for i, s := range rooms {
			if i == own {
				c.tries(store, c.live(domain.ToUser("alice"), "alice", "a"), 3, nil)
			}
			want := error(nil)
			if i == 3 {
				want = ports.ErrTooMany
			}
			c.tries(store, s, 3, want)
		}
		c.tries(store, rooms[1], 3, nil)
		c.tries(store, rooms[1], 1, nil) // it is in that already
		c.tries(store, c.live(domain.ToUser("alice"), "alice", "a"), 3, nil)
		c.channels(store, "a", rooms[0].To, rooms[1].To, rooms[2].To, domain.ToUser("alice"))
		c.holds(store, rooms[3].To)
		if err := store.Unsubscribe(c.ctx, rooms[0]); err != nil {
			c.Fatal(err)
		}
		c.tries(store, rooms[3], 3, nil)
		c.tries(store, rooms[0], 3, ports.ErrTooMany)
		if err := store.Clear(c.ctx, "a"); err != nil {
			c.Fatal(err)
		}
		c.tries(store, rooms[0], 1, nil)
		if err := store.Clear(c.ctx, "a"); err != nil {
			c.Fatal(err)
		}
	}
}

func (c *subscriptionCase) limitAtOnce() {
	store, all := c.open(10), c.rooms(8)
	var granted atomic.Int64
	var group sync.WaitGroup
	for _, s := range all {
		group.Go(func() {
			switch err := store.Subscribe(c.ctx, s, 3); {
			case err == nil:
				granted.Add(1)
			case !errors.Is(err, ports.ErrTooMany):
				c.Error(err)
			}
		})
	}
	group.Wait()
	of, err := store.Subscriptions(c.ctx, "a")
	if err != nil || len(of) != 3 || granted.Load() != 3 {
		c.Errorf("in %+v, %v, after %d were granted; want 3", of, err, granted.Load())
	}
	for _, s := range all {
		c.agrees(store, s)
	}
}

// agrees checks that the channel and the connection say the same.
func (c *subscriptionCase) agrees(store ports.SubscriptionStore, s domain.Subscription) {
	c.Helper()
	in, err := store.Subscribed(c.ctx, s)
	of, ofErr := store.Subscriptions(c.ctx, s.Connection.ID)
	found := false
	for _, one := range of {
		found = found || one.To == s.To
	}
	if err = errors.Join(err, ofErr); err != nil || in != found {
		c.Errorf("%s has %s: %v, which has %+v, %v", s.To, s.Connection.ID, in, of, err)
	}
}

// allOrNothing subscribes and unsubscribes at once, time after time.
func (c *subscriptionCase) allOrNothing() {
	store, all := c.open(10), c.rooms(2)
	for range 20 {
		var group sync.WaitGroup
		for _, s := range all {
			for _, call := range []func() error{
				func() error { return store.Subscribe(c.ctx, s, manyRooms) },
				func() error { return store.Unsubscribe(c.ctx, s) },
				func() error { return store.Extend(c.ctx, s.Connection, s.To) },
			} {
				group.Go(func() {
					if err := call(); err != nil {
						c.Error(err)
					}
				})
			}
		}
		group.Wait()
		for _, s := range all {
			c.agrees(store, s)
		}
	}
}
