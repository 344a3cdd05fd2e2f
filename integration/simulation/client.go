package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain"
)

// state is the state of a client's socket.
type state int

const (
	connecting state = iota // the row may be stored; the socket opens if $connect succeeds
	open
	dead
)

// client is one connection, starting with its handshake.
type client struct {
	id       domain.ConnectionID
	user     string    // empty for an anonymous one
	expires  time.Time // when the token does; never if zero
	visitsTo []*visit
	slow     bool
	clogged  bool // its buffer is full at times
	joins    time.Duration
	opens    time.Duration // after it was registered; never if negative
	leaves   time.Duration // after it opened; never if negative
	says     bool          // that it leaves
	// For a while the gateway considers its open socket gone.
	vanishes, vanishesFor time.Duration
	rejected              bool      // the gateway rejects its id
	follower              *follower // nil if messages are not kept
	again                 *client   // its next connection, some time after it has left; nil for none

	// The rest is guarded by the gateway's lock.
	state        state
	rowAt        time.Time // when $connect began to store the row
	registeredAt time.Time // when it had stored it; zero before
	openedAt     time.Time
	got          map[domain.MessageID][]time.Time
	unknown      int                      // posts that were delivered but answered with an error
	goneAt       time.Time                // when a post first found it gone, or rejected; zero if none did
	gone         map[domain.MessageID]int // posts that did, for each message
}

// Times of a run. Messages are sent while clients come and go.
const (
	firstMessage = 12 * time.Second
	lastMessage  = 20 * time.Second
	lastChange   = 30 * time.Second
	// handshake is the longest that $connect and the opening after it take; see
	// the timeout of connectionManager in serverless.yml.
	handshake = 6 * time.Second
)

func newClient(s seed, id domain.ConnectionID, h hazards) *client {
	s = s.of("client", id)
	c := &client{
		id:      id,
		slow:    s.happens("slow", h.slow),
		clogged: s.happens("clogged", 0.2),
		joins:   s.between("joins", 0, 2*time.Second),
		opens:   s.between("opens", time.Millisecond, 200*time.Millisecond),
		leaves:  -1,
		says:    s.happens("says", 0.5),
		got:     make(map[domain.MessageID][]time.Time),
	}
	if s.happens("signed in", 0.7) {
		c.user, c.visitsTo = fmt.Sprint("user-", s.number("user", 0, 5)), newVisits(s)
	}
	isNew := s.happens("new", 0.3)
	// A new one can be found gone for good reason if it is not new by the clock.
	if !isNew && s.happens("vanishes", h.vanishes) {
		c.vanishes = s.between("vanishes from", firstMessage, lastMessage)
		c.vanishesFor = s.between("vanishes for", time.Millisecond, freshFor-postLimit)
	}
	if isNew {
		c.joins = s.between("joins late", firstMessage-handshake, lastMessage)
		c.opens = s.between("opens late", time.Millisecond, handshake)
	}
	switch fate := s.share("fate"); {
	case fate < 0.1:
		c.opens = -1
	case fate < 0.2:
		c.leaves = s.between("drops", time.Millisecond, 3*time.Second)
	case fate < 0.4:
		c.leaves = s.between("leaves", 0, lastChange)
	}
	if c.user != "" && s.happens("expires", 0.25) {
		c.expires = time.Now().Add(s.between("expires at", firstMessage, lastChange))
	}
	return c
}

// expired reports whether the client's token is not valid any more.
func (c *client) expired() bool { return !c.expires.IsZero() && !time.Now().Before(c.expires) }

// live runs the client's life. The authorizer lets no one in whose token has expired.
func (w *world) live(c *client) {
	time.Sleep(c.joins)
	if c.expired() || !w.register(c) || c.opens < 0 {
		w.gateway.settle(c, dead)
		return
	}
	time.Sleep(c.opens)
	w.gateway.settle(c, open)
	var visits sync.WaitGroup
	defer visits.Wait()
	for _, v := range c.visitsTo {
		visits.Go(func() { w.visits(c, v) })
	}
	if c.follower != nil {
		visits.Go(func() { c.follower.follow(c) })
	}
	if c.leaves < 0 {
		return
	}
	time.Sleep(c.leaves)
	w.gateway.settle(c, dead)
	if c.again != nil {
		visits.Go(func() { w.live(c.again) })
	}
	if c.says {
		w.disconnect(c)
	}
}

// comesAgain returns the next connection of a client: the same user, in the same rooms.
func (c *client) comesAgain(s seed, h hazards) *client {
	next := newClient(s, "again-"+c.id, h)
	next.user, next.expires, next.follower, next.visitsTo = c.user, c.expires, c.follower, nil
	for _, v := range c.visitsTo {
		if v.leaves < 0 {
			again := &visit{room: v.room, joins: v.joins, leaves: -1}
			next.visitsTo = append(next.visitsTo, again)
		}
	}
	return next
}

func (w *world) register(c *client) bool {
	_, ctx := newCaller("connect "+string(c.id), time.Minute)
	defer callerOf(ctx).cancel()
	callerOf(ctx).clock = w.clock("connect " + string(c.id))
	w.gateway.registering(c)
	if err := w.registry.Connect(ctx, c.id, c.principal()); err != nil {
		return false
	}
	w.gateway.registered(c)
	return true
}

// disconnect reports the end, late and sometimes twice. It may fail, since the gateway
// only makes a best effort.
func (w *world) disconnect(c *client) {
	s := w.seed.of("disconnect", c.id)
	for range s.number("reports", 1, 2) {
		time.Sleep(s.between("report", time.Millisecond, 2*time.Second))
		_, ctx := newCaller("disconnect "+string(c.id), time.Minute)
		_ = w.registry.Disconnect(ctx, c.id, c.principal())
		callerOf(ctx).cancel()
	}
}

// stray stores an old row whose client has vanished silently, and which expires during
// the run.
func (w *world) stray(s seed, id domain.ConnectionID) {
	expires := time.Now().Add(s.between("expires", time.Second, lastChange))
	row := domain.Connection{ID: id, RegisteredAt: expires.Add(-2 * time.Hour), ExpiresAt: expires}
	if err := w.store.rows.Put(context.Background(), row); err != nil {
		panic(err) // an embedded store does not fail
	}
	w.gateway.add(&client{id: id, state: dead, rowAt: row.RegisteredAt})
}
