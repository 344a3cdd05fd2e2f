// Package session is the use case of a connection's life: it registers a connection that
// opens, lets its user join and leave rooms, see who is in them and renew the token, and
// deletes the rows of one that ends.
package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// DefaultLifetime is the longest that API Gateway keeps a connection.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
	DefaultLifetime = 2 * time.Hour
	// DefaultMaxRooms is how many rooms a connection can be in.
	DefaultMaxRooms = 50
)

// slack is how much longer a row lives, for clocks that differ and requests that were
// retried.
const slack = 15 * time.Minute

// Registry keeps the tables of connections and subscriptions in step with the gateway and
// with what users ask for. It may be used concurrently.
type Registry struct {
	Connections   ports.ConnectionStore
	Subscriptions ports.SubscriptionStore
	Lifetime      time.Duration // of a connection, after which the gateway closes it
	MaxRooms      int           // for each connection
	Policy        domain.Policy
	// Verify returns whom a token was issued to. It is called concurrently.
	Verify func(ctx context.Context, token string) (domain.Principal, error)
	// Renewed hears that a connection's token was replaced by one that expires at a time.
	// It can be nil.
	Renewed func(domain.ConnectionID, time.Time)
}

// Connect registers the principal's connection, and subscribes it to messages to its
// user. Its rows expire with the principal's token: no new message is posted to it after
// that. Posts may find it gone until the caller has answered the gateway.
//
// The errors are *domain.Error: Internal for an id that is not Valid, which no gateway
// sends, and Unavailable when a store failed.
func (r *Registry) Connect(ctx context.Context, id domain.ConnectionID, who domain.Principal) error {
	if err := check(id); err != nil {
		return err
	}
	c := domain.Connection{ID: id, RegisteredAt: time.Now(), User: who.User, Scope: who.Scope}
	c.ExpiresAt = r.expiry(c, who)
	err := r.Connections.Put(ctx, c)
	if err == nil && who.SignedIn() {
		err = r.Subscriptions.Subscribe(ctx, toOwnUser(c), r.MaxRooms)
	}
	return unavailable(err)
}

// toOwnUser is the subscription of a user's connection to messages to that user.
func toOwnUser(c domain.Connection) domain.Subscription {
	return domain.Subscription{To: domain.ToUser(c.User), Connection: c}
}

// expiry returns when the connection's rows expire: with the token, and at the latest
// when the gateway has closed it.
func (r *Registry) expiry(c domain.Connection, who domain.Principal) time.Time {
	end := c.RegisteredAt.Add(r.Lifetime + slack)
	if !who.ExpiresAt.IsZero() && who.ExpiresAt.Before(end) {
		return who.ExpiresAt
	}
	return end
}

// Disconnect deletes the rows of the principal's connection. The gateway may report a
// connection twice, late, or never, so a missing row is not an error. The row of the
// connection goes first: without it, nothing is subscribed any more. If it stays, the rest
// stays for fan-out to delete. The errors are those of Connect.
func (r *Registry) Disconnect(ctx context.Context, id domain.ConnectionID, who domain.Principal) error {
	if err := check(id); err != nil {
		return err
	}
	err := r.Connections.Delete(ctx, id)
	if err == nil && who.SignedIn() { // others have no subscriptions
		err = r.Subscriptions.Clear(ctx, id)
	}
	return unavailable(err)
}

func check(id domain.ConnectionID) error {
	if !id.Valid() {
		return &domain.Error{Code: domain.Internal, Cause: fmt.Errorf("connection id %.40q", id)}
	}
	return nil
}

// unavailable returns an error of a store for the caller; nil for nil, and itself for one
// that is for the caller already.
func unavailable(err error) error {
	if refused := new(domain.Error); err == nil || errors.As(err, &refused) {
		return err
	}
	return domain.NewUnavailable(err)
}
