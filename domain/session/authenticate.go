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
	if errors.Is(err, ports.ErrNotFound) { // it has ended meanwhile
		return row, &domain.Error{Code: domain.Unauthenticated, Cause: err}
	}
	return row, unavailable(err)
}

// replace writes the rows. The subscriptions follow that of the connection, also after a
// failure or when the request's time is over: the connection must leave rooms that its row
// does not permit, and keep the others as long as that says.
func (r *Registry) replace(ctx context.Context, c domain.Connection) (domain.Connection, error) {
	failed := r.extend(ctx, c)
	if failed == nil {
		failed = r.Connections.Replace(ctx, c)
	}
	if errors.Is(failed, ports.ErrNotFound) {
		return c, failed
	}
	ctx, cancel := beyond(ctx, followTime)
	defer cancel()
	var err error
	if failed != nil {
		c, err = r.Connections.Get(ctx, c.ID)
	}
	if err == nil {
		c, err = r.follow(ctx, c)
	}
	return c, errors.Join(failed, err)
}

// follow gives the subscriptions what the connection's row has. Those that a request to
// join has written by the old row are found after the row is replaced. When another
// renewal has replaced it again, the subscriptions follow that. After a failure it goes
// on: to stay in a room that the row does not permit is worse than to try in vain.
func (r *Registry) follow(ctx context.Context, c domain.Connection) (domain.Connection, error) {
	var failed error
	err := tryAgain(ctx, func() (done bool, err error) {
		failed = r.extend(ctx, c)
		row, err := r.Connections.Get(ctx, c.ID)
		switch {
		case errors.Is(err, ports.ErrNotFound):
			return false, err
		case err != nil:
			failed = errors.Join(failed, err)
			return false, nil
		}
		done = failed == nil && sameToken(row, c)
		c = row
		return done, nil
	})
	return c, errors.Join(err, failed)
}

// followTime is how long a renewal whose time is over may take to have the subscriptions
// follow. A Lambda function has half a second left then.
const followTime = 400 * time.Millisecond

// beyond returns a context that ends some time after ctx does.
func beyond(ctx context.Context, longer time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(longer, cancel) })
	return later, func() {
		stop()
		cancel()
	}
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
			err = errors.Join(err, r.Subscriptions.Unsubscribe(ctx, domain.Subscription{To: s.To, Connection: c}))
			continue
		}
		kept = append(kept, s.To)
	}
	return errors.Join(err, r.Subscriptions.Extend(ctx, c, kept...))
}
