package session

import (
	"context"
	"errors"

	"serverless-websocket/domain"
)

// maxTries is how often a request starts over because others change the same rows.
const maxTries = 5

// Join adds the principal's connection to a room. To be in it already is no error.
//
// No transaction spans the rows, but whoever changes them reads those of the others after
// writing its own. So of a join and a $disconnect, a renewal, a leave or another join that
// are under way together, one at least sees the other.
//
// The errors are *domain.Error: InvalidRoom, Unauthenticated, Forbidden, TooManyRooms and
// Unavailable. After Unavailable the connection may be in the room or not.
func (r *Registry) Join(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string) error {
	if !domain.ValidRoom(room) {
		return domain.NewError(domain.InvalidRoom)
	}
	s := domain.Subscription{To: domain.ToRoom(room), Connection: domain.Connection{ID: id, User: who.User}}
	member := false // before this request
	for try := range maxTries {
		now, err := r.look(ctx, who, s)
		member = member || try == 0 && now.in
		if err == nil && now.others >= r.MaxRooms && !member {
			err = domain.NewError(domain.TooManyRooms)
		}
		switch {
		case try == 0 && err != nil:
			return err
		case err != nil:
			return r.withdraw(ctx, s, err)
		case try > 0 && now.in && now.connection == s.Connection:
			return nil
		}
		s.Connection = now.connection
		if err := r.Subscriptions.Subscribe(ctx, s); err != nil {
			return r.withdraw(ctx, s, unavailable(err))
		}
	}
	return r.withdraw(ctx, s, unavailable(errChanging))
}

var errChanging = errors.New("others keep changing the connection")

// standing is what a request to join a room finds.
type standing struct {
	connection domain.Connection
	others     int  // rooms that the connection is in
	in         bool // whether it is in this one
}

// look reads the rows of the subscription's connection. The errors are those of Caller
// and MayJoin.
func (r *Registry) look(ctx context.Context, who domain.Principal, s domain.Subscription) (found standing, err error) {
	found.connection, err = r.Caller(ctx, s.Connection.ID, who)
	if err != nil {
		return found, err
	}
	if err := r.Policy.MayJoin(found.connection.Principal(), s.To.Name); err != nil {
		return found, err
	}
	all, err := r.Subscriptions.Subscriptions(ctx, s.Connection.ID)
	for _, one := range all {
		if one.To == s.To {
			found.in = true
		} else if one.To.Kind == domain.Room {
			found.others++
		}
	}
	return found, unavailable(err)
}

// withdraw removes the subscription of a request to join that failed after it may have
// been written: nothing says that it is permitted. It returns why the request failed.
func (r *Registry) withdraw(ctx context.Context, s domain.Subscription, why error) error {
	if err := r.remove(ctx, s); err != nil {
		return unavailable(errors.Join(why, err))
	}
	return why
}

// Leave removes the principal's connection from a room. Not to be in it is no error.
//
// The errors are *domain.Error: InvalidRoom, Unauthenticated and Unavailable.
func (r *Registry) Leave(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string) error {
	if !domain.ValidRoom(room) {
		return domain.NewError(domain.InvalidRoom)
	}
	if !who.SignedIn() {
		return domain.NewError(domain.Unauthenticated)
	}
	c, err := r.Caller(ctx, id, who)
	if err != nil {
		return err
	}
	return unavailable(r.remove(ctx, domain.Subscription{To: domain.ToRoom(room), Connection: c}))
}

// remove unsubscribes. A request to join that is under way may write both rows between the
// two deletions, and must not keep that with the channel alone.
func (r *Registry) remove(ctx context.Context, s domain.Subscription) error {
	for range maxTries {
		if err := r.Subscriptions.Unsubscribe(ctx, s); err != nil {
			return err
		}
		if in, err := r.Subscriptions.Subscribed(ctx, s); err != nil || !in {
			return err
		}
	}
	return errChanging
}
