package session

import (
	"context"
	"errors"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Authenticate replaces the token of the principal's connection by another valid one of
// the same user: its expiry and its scope count from now on. The connection leaves the
// rooms that the new scope does not permit. It returns when the connection's rows expire.
//
// The subscriptions are extended before the connection's row: after a crash in between, a
// longer token leaves no connection that outlives them.
//
// The errors are *domain.Error: InvalidToken, Forbidden for a token of another user,
// Unauthenticated when there is no user or its connection has expired, and Unavailable,
// after which the connection may have left rooms: the request can be repeated.
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
	if c, err = r.renew(ctx, c); err != nil {
		return time.Time{}, err
	}
	if r.Renewed != nil {
		r.Renewed(id, c.ExpiresAt)
	}
	return c.ExpiresAt, nil
}

// renew gives a connection and its subscriptions another token. It returns the
// connection's row: of renewals that are under way together, that of one stays.
func (r *Registry) renew(ctx context.Context, c domain.Connection) (domain.Connection, error) {
	row, err := r.replace(ctx, c)
	return row, r.unlessEnded(ctx, c.ID, err)
}

// unlessEnded returns an error of a store for the caller; nil for nil. ErrNotFound says
// that the connection has ended meanwhile: its rows must not come back.
func (r *Registry) unlessEnded(ctx context.Context, id domain.ConnectionID, err error) error {
	if errors.Is(err, ports.ErrNotFound) {
		return &domain.Error{Code: domain.Unauthenticated, Cause: r.Subscriptions.Clear(ctx, id)}
	}
	return unavailable(err)
}

// replace writes the rows. Those that a request to join has written meanwhile, by the old
// row, are found after the connection's row is replaced. When another renewal has
// replaced it again, the subscriptions follow that.
func (r *Registry) replace(ctx context.Context, c domain.Connection) (domain.Connection, error) {
	if err := r.extend(ctx, c); err != nil {
		return c, err
	}
	if err := r.Connections.Replace(ctx, c); err != nil {
		return c, err
	}
	err := tryAgain(ctx, func() (done bool, err error) {
		if err := r.extend(ctx, c); err != nil {
			return false, err
		}
		written := c
		c, err = r.Connections.Get(ctx, c.ID)
		return sameToken(c, written), err
	})
	return c, err
}

// sameToken compares what rows have of a token. A table can round times to seconds.
func sameToken(a, b domain.Connection) bool {
	return a.Scope == b.Scope && a.ExpiresAt.Sub(b.ExpiresAt).Abs() < time.Second
}

// extend gives the connection's subscriptions its expiry, whatever they have, and leaves
// the rooms that its scope does not permit.
func (r *Registry) extend(ctx context.Context, c domain.Connection) error {
	all, err := r.Subscriptions.Subscriptions(ctx, c.ID)
	if err != nil {
		return err
	}
	var kept []domain.Recipients
	for _, s := range all {
		if s.To.Kind == domain.Room && r.Policy.MayJoin(c.Principal(), s.To.Name) != nil {
			err = errors.Join(err, r.remove(ctx, domain.Subscription{To: s.To, Connection: c}))
			continue
		}
		kept = append(kept, s.To)
	}
	return errors.Join(err, r.Subscriptions.Extend(ctx, c, kept...))
}
