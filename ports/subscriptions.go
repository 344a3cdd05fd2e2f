package ports

import (
	"context"

	"serverless-websocket/domain"
)

// SubscriptionStore is the table of subscriptions: which connections get what is for a
// user or a room. Both the channel and the connection can be asked for theirs.
//
// What holds for the methods of ConnectionStore holds for these: concurrency, contexts,
// retries. Recipients are users and rooms, never everyone.
type SubscriptionStore interface {
	// Subscribe stores the subscription if its connection's row, in the store of
	// connections, has the same token: the same user, scope and expiry. ErrNotFound says
	// that it has not, or that there is no row. A connection is in at most so many rooms,
	// 1 or more, and to have been in as many before is ErrTooMany; a subscription to a user
	// has no such limit, and does not count.
	//
	// One that is stored already is no error, however many there are, and gets what the
	// connection has now. Channel and connection never differ: they both have the
	// subscription or neither does, also after an error, which does not say which.
	Subscribe(ctx context.Context, s domain.Subscription, most int) error

	// Extend gives the connection's subscriptions to the recipients what the connection
	// has now. It changes those that are stored, and stores none: what is deleted meanwhile
	// does not come back. After an error some of them may have changed.
	Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error

	// Unsubscribe deletes the subscription, for the channel and the connection or, at an
	// error, perhaps for neither. One that is not stored is no error.
	Unsubscribe(ctx context.Context, s domain.Subscription) error

	// Subscribed reports whether the subscription is stored and has not expired.
	Subscribed(ctx context.Context, s domain.Subscription) (bool, error)

	// Subscriptions returns those of the connection, also the expired. They can all have
	// what the connection had when the last of them was stored or extended. The scope of
	// the connection is not among what is returned.
	Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error)

	// Clear deletes all subscriptions of any number of connections. Their rows must be
	// deleted before, so that none is stored meanwhile. After an error some of them may be
	// left: those that Subscriptions returns, and no others.
	Clear(ctx context.Context, ids ...domain.ConnectionID) error

	// Subscribers returns a page of the connections that subscribe to the recipients, as
	// Scan does of the table, and reads no rows of others. They come in the order of
	// domain.Place.
	Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (Page, error)
}
