package session

import (
	"context"
	"errors"
	"slices"

	"serverless-websocket/domain"
)

// maxTries is how often a request to join starts over because the connection's token was
// renewed, or the room left, meanwhile.
const maxTries = 5

// Join adds the principal's connection to a room. To be in it already is no error.
//
// The errors are *domain.Error: InvalidRoom, Unauthenticated, Forbidden, TooManyRooms and
// Unavailable. After Unavailable the connection may be in the room.
func (r *Registry) Join(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string) error {
	if !domain.ValidRoom(room) {
		return domain.NewError(domain.InvalidRoom)
	}
	for range maxTries {
		c, err := r.Caller(ctx, id, who)
		if err != nil {
			return err
		}
		if err := r.Policy.MayJoin(c.Principal(), room); err != nil {
			return err
		}
		joined, err := r.join(ctx, who, domain.Subscription{To: domain.ToRoom(room), Connection: c})
		if joined || err != nil {
			return err
		}
	}
	return &domain.Error{Code: domain.Unavailable, Cause: errors.New("the connection keeps changing")}
}

// join subscribes, and then looks whether that was right: no transaction spans the rows,
// but whoever changes them reads those of the others after writing its own. So of a join
// and a $disconnect, a renewal, a leave or another join that are under way together, one
// at least sees the other. It reports false when it has to be done over.
func (r *Registry) join(ctx context.Context, who domain.Principal, s domain.Subscription) (joined bool, err error) {
	if others, _, err := r.rooms(ctx, s); err != nil {
		return false, err
	} else if others >= r.MaxRooms {
		return false, domain.NewError(domain.TooManyRooms)
	}
	if err := r.Subscriptions.Subscribe(ctx, s); err != nil {
		return false, unavailable(err)
	}
	joined, err = r.stands(ctx, who, s)
	if refused := new(domain.Error); errors.As(err, &refused) && refused.Code != domain.Unavailable {
		if undo := r.Subscriptions.Unsubscribe(ctx, s); undo != nil {
			return false, unavailable(errors.Join(err, undo))
		}
	}
	return joined, err
}

// stands reports whether a subscription is still there as it was stored, for a connection
// that has not changed. The errors, other than Unavailable, say why it must not be.
func (r *Registry) stands(ctx context.Context, who domain.Principal, s domain.Subscription) (bool, error) {
	now, err := r.Caller(ctx, s.Connection.ID, who)
	if err != nil {
		return false, err
	}
	others, in, err := r.rooms(ctx, s)
	if err == nil && others >= r.MaxRooms {
		err = domain.NewError(domain.TooManyRooms)
	}
	return in && now == s.Connection, err
}

// rooms returns how many other rooms the connection is in, and whether it is in this one.
func (r *Registry) rooms(ctx context.Context, s domain.Subscription) (others int, in bool, err error) {
	all, err := r.Subscriptions.Subscriptions(ctx, s.Connection.ID)
	for _, one := range all {
		if one.To.Kind == domain.Room && one.To != s.To {
			others++
		}
	}
	in = slices.ContainsFunc(all, func(one domain.Subscription) bool { return one.To == s.To })
	return others, in, unavailable(err)
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
	return unavailable(r.leave(ctx, domain.Subscription{To: domain.ToRoom(room), Connection: c}))
}

// leave unsubscribes. A request to join that was under way may have written its row with
// the channel before that with the connection was deleted: then it wins.
func (r *Registry) leave(ctx context.Context, s domain.Subscription) error {
	if err := r.Subscriptions.Unsubscribe(ctx, s); err != nil {
		return err
	}
	again, err := r.Subscriptions.Subscribed(ctx, s)
	if err != nil || !again {
		return err
	}
	return r.Subscriptions.Subscribe(ctx, s)
}
