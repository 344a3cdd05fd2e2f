package ports

import (
	"context"

	"serverless-websocket/domain"
)

// SubscriptionStore is the table of subscriptions: which connections get what is for a
// user or a room. It has two rows for each, one with the channel and one with the
// connection, so that both can be asked for theirs.
//
// What holds for the methods of ConnectionStore holds for these: concurrency, contexts,
// retries. Recipients are users and rooms, never everyone.
type SubscriptionStore interface {
	// Subscribe stores the subscription, replacing one with the same recipients and
	// connection. The row with the connection is stored first: after an error or a
	// crash, Subscriptions returns it, and Unsubscribe deletes what there is.
	Subscribe(ctx context.Context, s domain.Subscription) error

	// Extend gives the connection's subscriptions to the recipients what the connection
	// has now. It changes rows that are stored, and stores none: what is deleted meanwhile
	// does not come back. After an error some of them may have changed.
	Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error

	// Unsubscribe deletes the subscription, the row with the connection last. One that
	// is not stored is no error.
	Unsubscribe(ctx context.Context, s domain.Subscription) error

	// Subscribed reports whether the subscription is stored and has not expired, by the
	// row with the channel.
	Subscribed(ctx context.Context, s domain.Subscription) (bool, error)

	// Subscriptions returns those of the connection, by the rows with the connection,
	// also the expired. The scope of the connection is not among what is returned.
	Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error)

	// Clear deletes all subscriptions of any number of connections. After an error some
	// of them may be left.
	Clear(ctx context.Context, ids ...domain.ConnectionID) error

	// Subscribers returns a page of the connections that subscribe to the recipients, as
	// Scan does of the table, and reads no rows of others. They come in the order of
	// domain.Place. The scope of a connection is not among what is returned.
	Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (Page, error)
}
