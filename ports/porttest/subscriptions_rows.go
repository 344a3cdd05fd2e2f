package porttest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"serverless-websocket/domain"
)

func (c *subscriptionCase) one() {
	store := c.open(10)
	s := c.live(goals, "alice", "a")
	c.subscribed(store, s, false)
	c.subscribe(store, s, s)
	c.subscribed(store, s, true)
	c.holds(store, goals, "a")
	s.Connection.ExpiresAt = s.Connection.ExpiresAt.Add(time.Hour)
	c.subscribe(store, s)
	row := c.read(store, goals, domain.Segment{}, nil)[0]
	if row.User != "alice" || row.RegisteredAt.UnixMilli() != c.now.UnixMilli() ||
		row.ExpiresAt.Sub(s.Connection.ExpiresAt).Abs() > time.Second {
		c.Errorf("%+v came back as %+v", s.Connection, row)
	}
	for range 2 {
		if err := store.Unsubscribe(c.ctx, s); err != nil {
			c.Fatal(err)
		}
		c.subscribed(store, s, false)
		c.holds(store, goals)
		c.channels(store, "a")
	}
}

func (c *subscriptionCase) extend() {
	store := c.open(10)
	s := c.live(goals, "alice", "a")
	c.subscribe(store, s, c.live(chess, "alice", "a"), c.live(goals, "alice", "b"))
	later := s.Connection
	later.ExpiresAt = later.ExpiresAt.Add(time.Hour)
	never := domain.ToRoom("never")
	if err := errors.Join(store.Extend(c.ctx, later), store.Extend(c.ctx, later, goals, never)); err != nil {
		c.Fatal(err)
	}
	c.channels(store, "a", goals, chess)
	c.holds(store, never)
	of, err := store.Subscriptions(c.ctx, "a")
	if err != nil {
		c.Fatal(err)
	}
	for _, one := range of {
		if one.To == goals && !one.Connection.ExpiresAt.After(s.Connection.ExpiresAt.Add(time.Minute)) {
			c.Errorf("the connection has %s until %v", one.To, one.Connection.ExpiresAt)
		}
	}
	for _, row := range c.read(store, goals, domain.Segment{}, nil) {
		if extended := row.ExpiresAt.After(s.Connection.ExpiresAt.Add(time.Minute)); extended != (row.ID == "a") {
			c.Errorf("the row of %s with the channel expires at %v", row.ID, row.ExpiresAt)
		}
	}
}

func (c *subscriptionCase) ofConnection() {
	store := c.open(2)
	var rooms []domain.Recipients
	for i := range 7 {
		rooms = append(rooms, domain.ToRoom(fmt.Sprint("room-", i)))
		c.subscribe(store, c.live(rooms[i], "alice", "a"), c.live(rooms[i], "alice", "b"))
	}
	c.channels(store, "a", rooms...)
	c.channels(store, "never", nil...)
	stale := c.live(goals, "alice", "a")
	stale.Connection.ExpiresAt = c.now.Add(-time.Minute)
	c.subscribe(store, stale)
	c.subscribed(store, stale, false)
	c.channels(store, "a", append(rooms, goals)...)
	got, err := store.Subscriptions(c.ctx, "b")
	if err != nil || len(got) == 0 {
		c.Fatalf("%+v, %v", got, err)
	}
	want := c.live(goals, "alice", "b").Connection
	if one := got[0].Connection; one.ID != want.ID || one.User != want.User || one.ExpiresAt.Sub(want.ExpiresAt).Abs() > time.Second {
		c.Errorf("%+v came back as %+v", want, one)
	}
}

// names uses one row per page, so that each also passes through a cursor.
func (c *subscriptionCase) names() {
	store := c.open(1)
	var want []domain.ConnectionID
	for i, user := range []string{"a", "a:b", "connection:x", `"연결" <b@x>`, "\x00", " ", strings.Repeat("x", domain.MaxRecipient)} {
		id := domain.ConnectionID(fmt.Sprintf("L0SM9cOFvHcCI%d/+=", i))
		c.subscribe(store, c.live(goals, user, id), c.live(domain.ToUser(user), user, id))
		c.holds(store, domain.ToUser(user), id)
		c.channels(store, id, goals, domain.ToUser(user))
		want = append(want, id)
	}
	c.holds(store, goals, want...)
}

func (c *subscriptionCase) apart() {
	store := c.open(10)
	c.subscribe(store, c.live(goals, "alice", "a"), c.live(chess, "bob", "b"),
		c.live(domain.ToUser("goals"), "goals", "c"), c.live(domain.ToRoom("goals/1"), "dave", "d"))
	c.holds(store, goals, "a")
	c.holds(store, domain.ToUser("goals"), "c")
	c.holds(store, domain.ToRoom("goal"))
	c.subscribed(store, c.live(goals, "bob", "b"), false)
	c.subscribed(store, c.live(goals, "eve", "a"), false)
	if err := store.Unsubscribe(c.ctx, c.live(goals, "alice", "a")); err != nil {
		c.Fatal(err)
	}
	c.holds(store, chess, "b")
}

// clear clears more than two batches of 25 hold.
func (c *subscriptionCase) clear() {
	store := c.open(100)
	gone := c.crowd(store, goals, 30)
	for _, id := range gone[:10] {
		c.subscribe(store, c.live(chess, "user-"+string(id[1:]), id))
	}
	c.subscribe(store, c.live(goals, "stays", "stays"))
	if err := errors.Join(store.Clear(c.ctx), store.Clear(c.ctx, append(gone, "never", gone[0])...)); err != nil {
		c.Fatal(err)
	}
	c.holds(store, goals, "stays")
	c.holds(store, chess)
	for _, id := range gone {
		c.channels(store, id)
	}
}
