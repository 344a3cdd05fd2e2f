package session

import (
	"context"
	"errors"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Authenticate replaces the token of the principal's connection by a newer one of the
// same user: its expiry and its scope count from now on. The connection leaves the rooms
// that the new scope does not permit. It returns when the connection's rows expire.
//
// The subscriptions are extended first and the connection's row last. So after a crash in
// between, a connection that gets no more messages of a room is closed when its row
// expires, and none lives on without them.
//
// The errors are *domain.Error: InvalidToken, Forbidden for a token of another user,
// Unauthenticated when there is no user or its connection has expired, and Unavailable.
func (r *Registry) Authenticate(ctx context.Context, id domain.ConnectionID, who domain.Principal, token string) (time.Time, error) {
	c, err := r.Caller(ctx, id, who)
	if err != nil {
		return time.Time{}, err
	}
	if !who.SignedIn() || r.Verify == nil {
		return time.Time{}, domain.NewError(domain.Unauthenticated)
	}
	renewed, err := r.Verify(ctx, token)
	switch {
	case err != nil:
		return time.Time{}, &domain.Error{Code: domain.InvalidToken, Cause: err}
	case renewed.User != c.User:
		return time.Time{}, domain.NewError(domain.Forbidden)
	}
	c.Scope, c.ExpiresAt = renewed.Scope, r.expiry(c, renewed)
	if err := r.renew(ctx, c); err != nil {
		return time.Time{}, err
	}
	if r.Renewed != nil {
		r.Renewed(id, c.ExpiresAt)
	}
	return c.ExpiresAt, nil
}

// renew writes the rows of a connection. Those that a request to join has written
// meanwhile, by the old row, are found after the connection's row is replaced.
func (r *Registry) renew(ctx context.Context, c domain.Connection) error {
	if err := r.extend(ctx, c); err != nil {
		return unavailable(err)
	}
	err := r.Connections.Replace(ctx, c)
	if errors.Is(err, ports.ErrNotFound) {
		// The connection has ended meanwhile, and its rows must not come back.
		return errors.Join(domain.NewError(domain.Unauthenticated), r.Subscriptions.Clear(ctx, c.ID))
	}
	if err == nil {
		err = r.extend(ctx, c)
	}
	return unavailable(err)
}

// extend gives the connection's subscriptions its expiry, and leaves the rooms that its
// scope does not permit.
func (r *Registry) extend(ctx context.Context, c domain.Connection) error {
	all, err := r.Subscriptions.Subscriptions(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, s := range all {
		permitted := s.To.Kind != domain.Room || r.Policy.MayJoin(c.Principal(), s.To.Name) == nil
		extended := s.Connection.ExpiresAt.Sub(c.ExpiresAt).Abs() < time.Second // to which a table can round
		s.Connection = c
		if !permitted {
			err = errors.Join(err, r.Subscriptions.Unsubscribe(ctx, s))
		} else if !extended {
			err = errors.Join(err, r.Subscriptions.Subscribe(ctx, s))
		}
	}
	return err
}
