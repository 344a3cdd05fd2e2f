// Package session is the use case of a connection's life: it registers a connection
// that opens, and deletes the row of one that ends.
package session

import (
	"context"
	"fmt"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// DefaultLifetime is the longest that API Gateway keeps a connection.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const DefaultLifetime = 2 * time.Hour

// slack is how much longer a row lives, for clocks that differ and requests that were
// retried.
const slack = 15 * time.Minute

// Registry keeps the connection table in step with the gateway.
type Registry struct {
	Store    ports.ConnectionStore
	Lifetime time.Duration // of a connection, after which the gateway closes it
}

// Connect registers the principal's connection. Its row expires with the principal's
// token: no new message is posted to it after that. Posts may find it gone until the caller
// has answered the gateway.
//
// The errors are *domain.Error: Internal for an id that is not Valid, which no gateway
// sends, and Unavailable when the store failed.
func (r *Registry) Connect(ctx context.Context, id domain.ConnectionID, who domain.Principal) error {
	now := time.Now()
	expires := now.Add(r.Lifetime + slack)
	if !who.ExpiresAt.IsZero() && who.ExpiresAt.Before(expires) {
		expires = who.ExpiresAt
	}
	return change(id, func() error {
		return r.Store.Put(ctx, domain.Connection{ID: id, RegisteredAt: now, ExpiresAt: expires})
	})
}

// Disconnect deletes the connection's row. The gateway may report a connection twice,
// late, or never, so a missing row is not an error. The errors are those of Connect.
func (r *Registry) Disconnect(ctx context.Context, id domain.ConnectionID) error {
	return change(id, func() error { return r.Store.Delete(ctx, id) })
}

// change makes a change to the row of a connection.
func change(id domain.ConnectionID, apply func() error) error {
	if !id.Valid() {
		return &domain.Error{Code: domain.Internal, Cause: fmt.Errorf("connection id %.40q", id)}
	}
	if err := apply(); err != nil {
		return &domain.Error{Code: domain.Unavailable, Cause: err}
	}
	return nil
}
