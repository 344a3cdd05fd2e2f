package session

import (
	"context"
	"errors"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// attend returns the principal's connection and what it subscribes to. It writes rows again
// without which messages do not reach the connection: fan-out deletes those of connections
// that the gateway does not know, or not yet. The errors are those of Caller.
func (r *Registry) attend(ctx context.Context, id domain.ConnectionID, who domain.Principal) (
	domain.Connection, []domain.Recipients, error) {
	if !who.SignedIn() {
		return domain.Connection{ID: id}, nil, r.register(ctx, id, who)
	}
	c, err := r.Caller(ctx, id, who)
	if err == nil {
		c, err = r.listen(ctx, c)
	}
	if err != nil {
		return c, nil, err
	}
	all, err := r.Subscriptions.Subscriptions(ctx, id)
	var to []domain.Recipients
	for _, s := range all {
		to = append(to, s.To)
	}
	return c, to, unavailable(err)
}

// register registers a connection without a user unless it is.
func (r *Registry) register(ctx context.Context, id domain.ConnectionID, who domain.Principal) error {
	_, err := r.Connections.Get(ctx, id)
	if errors.Is(err, ports.ErrNotFound) {
		return r.Connect(ctx, id, who)
	}
	return unavailable(err)
}

// listen subscribes a user's connection to messages to that user unless it is. It returns
// the connection's row as it is now.
func (r *Registry) listen(ctx context.Context, c domain.Connection) (domain.Connection, error) {
	in, err := r.Subscriptions.Subscribed(ctx, toOwnUser(c))
	if err != nil || in {
		return c, unavailable(err)
	}
	return r.subscribe(ctx, c.ID, c.Principal(), domain.ToUser(c.User))
}
