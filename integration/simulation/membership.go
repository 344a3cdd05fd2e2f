package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"serverless-websocket/adapters/memstore"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// rooms is how many rooms there are.
const rooms = 2

// visit is what a client does with a room.
type visit struct {
	room   string
	joins  time.Duration // after its socket opened
	leaves time.Duration // after it joined; never if negative

	// The rest is guarded by the gateway's lock.
	asked  bool      // to join
	joined time.Time // when it had the answer; zero before
	left   time.Time // when it asked to leave; zero before
}

// newVisits returns the visits of a signed-in client.
func newVisits(s seed) (all []*visit) {
	for i := range rooms {
		s := s.of("room", i)
		if !s.happens("visits", 0.5) {
			continue
		}
		v := &visit{room: fmt.Sprint("room-", i), joins: s.between("joins", time.Millisecond, 3*time.Second), leaves: -1}
		if s.happens("leaves", 0.2) {
			v.leaves = s.between("leaves", 0, 8*time.Second)
		}
		all = append(all, v)
	}
	return all
}

// visits plays a visit to a room. The client asks again until it has the answer.
func (w *world) visits(c *client, v *visit) {
	time.Sleep(v.joins)
	w.note(func() { v.asked = true })
	join := func(ctx context.Context) error { return w.registry.Join(ctx, c.id, c.principal(), v.room) }
	if c.follower != nil {
		join = func(ctx context.Context) error { return c.follower.joins(ctx, c, v.room) }
	}
	if !w.asks(c, "joins "+v.room, join) {
		return
	}
	w.note(func() { v.joined = time.Now() })
	if v.leaves < 0 {
		return
	}
	time.Sleep(v.leaves)
	w.note(func() {
		v.left = time.Now()
		if c.follower != nil {
			c.follower.leaves(v.room)
		}
	})
	w.asks(c, "leaves "+v.room, func(ctx context.Context) error { return w.registry.Leave(ctx, c.id, c.principal(), v.room) })
}

// asks makes a request until it is answered, and reports whether it was granted.
func (w *world) asks(c *client, what string, request func(context.Context) error) bool {
	for try := range 20 {
		_, ctx := newCaller(fmt.Sprint(c.id, " ", what, " ", try), time.Minute)
		late := c.expired()
		err := request(ctx)
		callerOf(ctx).cancel()
		if late {
			w.checkRefused(c, what, err)
		}
		var refused *domain.Error
		if !errors.As(err, &refused) || refused.Code != domain.Unavailable {
			return err == nil
		}
		time.Sleep(w.seed.of("asks again", c.id, what, try).between("after", time.Millisecond, time.Second))
	}
	return false
}

// checkRefused checks the answer to a request that began after the token had expired.
func (w *world) checkRefused(c *client, what string, err error) {
	w.checked("no request is granted after the token has expired", 1)
	if err == nil {
		w.broken("%s %s, although its token has expired", c.id, what)
	}
}

// note changes what is guarded by the gateway's lock.
func (w *world) note(change func()) {
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	change()
}

func (c *client) principal() domain.Principal {
	return domain.Principal{User: c.user, ExpiresAt: c.expires}
}

// mayGet reports whether a message to the recipients can reach the client: it never asked
// to join a room whose messages it gets. The caller holds the gateway's lock.
func (c *client) mayGet(to domain.Recipients) bool {
	switch to.Kind {
	case domain.User:
		return c.user == to.Name
	case domain.Room:
		v := c.visit(to.Name)
		return v != nil && v.asked
	}
	return true
}

// echoes reports whether a message to a user is from the client's own.
func (c *client) echoes(m *message) bool {
	return m.to.Kind == domain.User && c.user != "" && c.user == m.sender
}

// isOwed reports whether a message must reach the client if it stays connected. One whose
// token expires is owed nothing: any message can be retried until after that. The caller
// holds the gateway's lock.
func (c *client) isOwed(m *message) bool {
	if !c.registeredAt.Before(m.sentAt) || c.registeredAt.IsZero() || !c.expires.IsZero() {
		return false
	}
	if m.to.Kind != domain.Room {
		return c.mayGet(m.to) || c.echoes(m)
	}
	v := c.visit(m.to.Name)
	return v != nil && !v.joined.IsZero() && v.joined.Before(m.sentAt) && v.left.IsZero()
}

func (c *client) visit(room string) *visit {
	for _, v := range c.visitsTo {
		if v.room == room {
			return v
		}
	}
	return nil
}

// subscriptions is the table of subscriptions: the embedded one, with the timing and
// faults of a real one.
type subscriptions struct {
	*store
	rows *memstore.Subscriptions
}

// Subscribe has what the connection's row has, by the clock of its writer. In this world
// tokens stay the same, so the row is that of the caller if there is one.
func (s *subscriptions) Subscribe(ctx context.Context, sub domain.Subscription, most int) error {
	before, after := s.begin(ctx, fmt.Sprint("subscribe ", sub.Connection.ID, sub.To))
	if before != nil {
		return before
	}
	row, err := s.written.Get(ctx, sub.Connection.ID)
	if err == nil {
		sub.Connection = row
		err = s.rows.Subscribe(ctx, sub, most)
	}
	return errors.Join(err, after)
}

func (s *subscriptions) Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error {
	before, after := s.begin(ctx, fmt.Sprint("extend ", c.ID, to))
	if before != nil {
		return before
	}
	return errors.Join(s.rows.Extend(ctx, c, to...), after)
}

func (s *subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	before, after := s.begin(ctx, fmt.Sprint("unsubscribe ", sub.Connection.ID, sub.To))
	if before != nil {
		return before
	}
	return errors.Join(s.rows.Unsubscribe(ctx, sub), after)
}

func (s *subscriptions) Subscribed(ctx context.Context, sub domain.Subscription) (bool, error) {
	if err := errors.Join(s.begin(ctx, fmt.Sprint("subscribed ", sub.Connection.ID, sub.To))); err != nil {
		return false, err
	}
	return s.rows.Subscribed(ctx, sub)
}

func (s *subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error) {
	if err := errors.Join(s.begin(ctx, fmt.Sprint("subscriptions ", id))); err != nil {
		return nil, err
	}
	return s.rows.Subscriptions(ctx, id)
}

func (s *subscriptions) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	before, after := s.begin(ctx, fmt.Sprint("clear ", ids))
	if before != nil {
		return before
	}
	return errors.Join(s.rows.Clear(ctx, ids...), after)
}

func (s *subscriptions) Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (
	ports.Page, error) {
	if err := errors.Join(s.begin(ctx, fmt.Sprint("subscribers ", to, segment, from))); err != nil {
		return ports.Page{}, err
	}
	page, err := s.rows.Subscribers(ctx, to, segment, from)
	for i, c := range page.Connections {
		page.Connections[i].RegisteredAt = seen(c.RegisteredAt, callerOf(ctx).clock)
	}
	return page, err
}

var _ ports.SubscriptionStore = (*subscriptions)(nil)

// channels are all users and rooms.
func (w *world) channels() (all []domain.Recipients) {
	known := map[domain.Recipients]bool{}
	for _, c := range w.clients {
		if to := domain.ToUser(c.user); to.Valid() && !known[to] {
			known[to] = true
			all = append(all, to)
		}
	}
	for i := range rooms {
		all = append(all, domain.ToRoom(fmt.Sprint("room-", i)))
	}
	return all
}

// checkSubscriptions checks, just after every connection has been posted to in all its
// channels, that clients have what they asked for, and that nothing is left of the dead.
func (w *world) checkSubscriptions() {
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	for _, c := range w.clients {
		w.checked("who is open has its subscriptions, and who is dead has none", 1)
		all, err := w.subscriptions.rows.Subscriptions(context.Background(), c.id)
		if err != nil {
			panic(err) // an embedded store does not fail
		}
		if c.expired() && w.plan.governed { // see checkRows
			continue
		}
		if c.state == dead && len(all) > 0 {
			w.broken("%s is dead but still subscribes to %d channels", c.id, len(all))
		}
		for _, v := range c.visitsTo {
			if c.state == open && !v.joined.IsZero() && v.left.IsZero() && !subscribes(all, domain.ToRoom(v.room)) {
				w.broken("%s has joined %s but is not in it", c.id, v.room)
			}
		}
		if c.state == open && c.user != "" && !subscribes(all, domain.ToUser(c.user)) {
			w.broken("%s does not get messages to %s", c.id, c.user)
		}
	}
}

func subscribes(all []domain.Subscription, to domain.Recipients) bool {
	for _, s := range all {
		if s.To == to {
			return true
		}
	}
	return false
}
