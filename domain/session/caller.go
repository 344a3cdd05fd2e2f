package session

import (
	"context"
	"errors"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Caller returns the connection of the principal who makes a request. What a user may do
// now is in its row, which a renewed token changes, and not in the principal, which is
// from when the connection was opened. Without a user there is no row to read.
//
// The errors are *domain.Error: Unauthenticated when the row is missing or has expired,
// and Unavailable when the store failed.
func (r *Registry) Caller(ctx context.Context, id domain.ConnectionID, who domain.Principal) (domain.Connection, error) {
	if !who.SignedIn() {
		return domain.Connection{ID: id}, nil
	}
	c, err := r.Connections.Get(ctx, id)
	switch {
	case errors.Is(err, ports.ErrNotFound):
		return c, domain.NewError(domain.Unauthenticated)
	case err != nil:
		return c, unavailable(err)
	case c.User != who.User, c.Expired(time.Now()):
		return c, domain.NewError(domain.Unauthenticated)
	}
	return c, nil
}
