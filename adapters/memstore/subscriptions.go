package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Subscriptions is a table of subscriptions in memory. It implements
// ports.SubscriptionStore. The errors of its methods are those of a context that has
// ended, ErrBadCursor, and those of Subscribe.
type Subscriptions struct {
	pageSize    int
	connections *Store

	mu       sync.RWMutex
	channels map[domain.Recipients][]*subscriber // in the order of their keys
	of       map[domain.ConnectionID][]domain.Subscription
}

// subscriber is a row with the channel.
type subscriber struct {
	key        string // the place of the user, and the id
	connection domain.Connection
}

// NewSubscriptions returns an empty table of what connections subscribe to; see New for
// the size of a page.
func NewSubscriptions(pageSize int, connections *Store) *Subscriptions {
	if pageSize < 1 {
		pageSize = defaultPageSize
	}
	return &Subscriptions{
		pageSize:    pageSize,
		connections: connections,
		channels:    make(map[domain.Recipients][]*subscriber),
		of:          make(map[domain.ConnectionID][]domain.Subscription),
	}
}

func keyOf(c domain.Connection) string { return domain.Place(c.User) + string(c.ID) }

// Subscribe stores the subscription. Whoever changes the connection's row and then reads
// this table waits for a call that found the row unchanged.
func (s *Subscriptions) Subscribe(ctx context.Context, sub domain.Subscription, most int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, err := s.connections.Get(ctx, sub.Connection.ID)
	switch {
	case err != nil:
		return err
	case !sameToken(stored, sub.Connection):
		return fmt.Errorf("connection %s has another token: %w", stored.ID, ports.ErrNotFound)
	case sub.To.Kind == domain.Room && s.otherRooms(sub) >= most:
		return fmt.Errorf("connection %s in %d rooms: %w", stored.ID, most, ports.ErrTooMany)
	}
	s.add(sub)
	return nil
}

func sameToken(a, b domain.Connection) bool {
	return a.User == b.User && a.Scope == b.Scope && a.ExpiresAt.Equal(b.ExpiresAt)
}

// otherRooms counts the rooms that the connection is in besides this; none if it is in
// this: then nothing is added. The caller holds s.mu.
func (s *Subscriptions) otherRooms(sub domain.Subscription) (n int) {
	for _, one := range s.of[sub.Connection.ID] {
		switch {
		case one.To == sub.To:
			return 0
		case one.To.Kind == domain.Room:
			n++
		}
	}
	return n
}

// add stores the subscription, replacing one with the same recipients and connection. The
// caller holds s.mu.
func (s *Subscriptions) add(sub domain.Subscription) {
	row := &subscriber{keyOf(sub.Connection), sub.Connection}
	rows := s.channels[sub.To]
	if i, found := search(rows, row.key); found {
		rows[i] = row
	} else {
		s.channels[sub.To] = slices.Insert(rows, i, row)
	}
	id := sub.Connection.ID
	s.of[id] = append(slices.DeleteFunc(s.of[id], is(sub.To)), sub)
}

// Extend replaces the connection in its subscriptions to the recipients.
func (s *Subscriptions) Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.of[c.ID]
	for _, one := range to {
		rows := s.channels[one]
		if i, found := search(rows, keyOf(c)); found {
			rows[i] = &subscriber{rows[i].key, c}
			of[slices.IndexFunc(of, is(one))].Connection = c
		}
	}
	return nil
}

// Unsubscribe deletes the subscription.
func (s *Subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(sub)
	return nil
}

// Subscribed reports whether the subscription is stored.
func (s *Subscriptions) Subscribed(ctx context.Context, sub domain.Subscription) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	rows := s.channels[sub.To]
	i, found := search(rows, keyOf(sub.Connection))
	return found && !rows[i].connection.Expired(time.Now()), nil
}

// Subscriptions returns those of the connection.
func (s *Subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.of[id]), nil
}

// Clear deletes all subscriptions of the connections.
func (s *Subscriptions) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		for _, sub := range slices.Clone(s.of[id]) {
			s.remove(sub)
		}
	}
	return nil
}

// Subscribers returns those who have not expired among the next pageSize of the channel,
// and drops the others.
func (s *Subscriptions) Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (
	ports.Page, error) {
	if err := ctx.Err(); err != nil {
		return ports.Page{}, err
	}
	if !segment.Valid() {
		return ports.Page{}, fmt.Errorf("segment %d of %d: %w", segment.Index, segment.Total, ports.ErrBadCursor)
	}
	first, last := segment.Places()
	if from != "" && (string(from) < first || string(from) > last || !isKey(string(from))) {
		return ports.Page{}, fmt.Errorf("%.40q in segment %d of %d: %w", from, segment.Index, segment.Total, ports.ErrBadCursor)
	}
	page, expired := s.read(to, max(first, string(from)), last)
	s.drop(to, expired)
	return page, nil
}

// read returns the page after a key, and the expired among its rows.
func (s *Subscriptions) read(to domain.Recipients, after, last string) (page ports.Page, expired []domain.Connection) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rows := s.channels[to]
	i, found := search(rows, after)
	if found {
		i++
	}
	now, end := time.Now(), min(len(rows), i+s.pageSize)
	for ; i < end && rows[i].key <= last; i++ {
		if c := rows[i].connection; c.Expired(now) {
			expired = append(expired, c)
		} else {
			page.Connections = append(page.Connections, c)
		}
	}
	if i < len(rows) && i == end && rows[i].key <= last {
		page.Next = domain.Cursor(rows[i-1].key)
	}
	return page, expired
}

// drop removes the expired, unless they were renewed meanwhile.
func (s *Subscriptions) drop(to domain.Recipients, expired []domain.Connection) {
	if len(expired) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range expired {
		rows := s.channels[to]
		if i, found := search(rows, keyOf(c)); found && rows[i].connection.Expired(time.Now()) {
			s.remove(domain.Subscription{To: to, Connection: c})
		}
	}
}

// remove deletes both rows. The caller holds s.mu.
func (s *Subscriptions) remove(sub domain.Subscription) {
	if i, found := search(s.channels[sub.To], keyOf(sub.Connection)); found {
		s.channels[sub.To] = slices.Delete(s.channels[sub.To], i, i+1)
	}
	if len(s.channels[sub.To]) == 0 {
		delete(s.channels, sub.To)
	}
	id := sub.Connection.ID
	s.of[id] = slices.DeleteFunc(s.of[id], is(sub.To))
	if len(s.of[id]) == 0 {
		delete(s.of, id)
	}
}

func search(rows []*subscriber, key string) (int, bool) {
	return slices.BinarySearchFunc(rows, key, func(r *subscriber, key string) int { return strings.Compare(r.key, key) })
}

func is(to domain.Recipients) func(domain.Subscription) bool {
	return func(s domain.Subscription) bool { return s.To == to }
}

// isKey reports whether the text begins with a place.
func isKey(text string) bool {
	const place = 32
	return len(text) > place && strings.Trim(text[:place], "0123456789abcdef") == ""
}
