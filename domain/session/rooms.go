package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"serverless-websocket/domain"
)

const (
	// maxTries is how often a request tries because others change the same rows.
	maxTries = 7
	// firstPause is the longest pause before the second try, doubled before each later one.
	firstPause = 10 * time.Millisecond
)

// tryAgain calls try until it is done or fails. Random pauses keep two requests that undo
// each other's work from meeting in step.
func tryAgain(ctx context.Context, try func() (done bool, err error)) error {
	for n := range maxTries {
		if n > 0 {
			select {
			case <-time.After(rand.N(firstPause << (n - 1))):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if done, err := try(); done || err != nil {
			return err
		}
	}
	return errChanging
}

var errChanging = errors.New("others keep changing the connection")

// Join adds the principal's connection to a room. To be in it already is no error, and
// writes nothing.
//
// The errors are *domain.Error: InvalidRoom, Unauthenticated, Forbidden, TooManyRooms and
// Unavailable. After Unavailable the connection may be in the room or not; if it was in it
// before, it still is, unless that is not permitted any more.
func (r *Registry) Join(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string) error {
	if !domain.ValidRoom(room) {
		return domain.NewError(domain.InvalidRoom)
	}
	s := domain.Subscription{To: domain.ToRoom(room), Connection: domain.Connection{ID: id, User: who.User}}
	before, err := r.look(ctx, who, s)
	if err != nil {
		return err
	}
	if before.in { // unless a request to join ended between its two rows
		if in, err := r.Subscriptions.Subscribed(ctx, s); err != nil || in {
			return unavailable(err)
		}
	}
	if err := r.limit(before); err != nil {
		return err
	}
	if s, err = r.join(ctx, who, s, before); err != nil {
		return r.withdraw(ctx, who, s, err)
	}
	return nil
}

// join subscribes, and then looks whether that was right: no transaction spans the rows,
// but whoever changes them reads those of the others after writing its own. So of a join
// and a $disconnect, a renewal, a leave or another join that are under way together, one
// at least sees the other. It returns what it wrote.
func (r *Registry) join(ctx context.Context, who domain.Principal, s domain.Subscription, now standing) (domain.Subscription, error) {
	var refused error
	err := tryAgain(ctx, func() (done bool, err error) {
		s.Connection = now.connection
		if err := r.Subscriptions.Subscribe(ctx, s); err != nil {
			return false, err
		}
		if now, refused = r.look(ctx, who, s); refused == nil {
			refused = r.limit(now)
		}
		return refused != nil || now.in && now.connection == s.Connection, nil
	})
	if refused != nil {
		return s, refused
	}
	return s, unavailable(err)
}

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

// limit returns TooManyRooms if there is no room left for one more.
func (r *Registry) limit(found standing) error {
	if found.others >= r.MaxRooms {
		return domain.NewError(domain.TooManyRooms)
	}
	return nil
}

// withdrawTime is how long a request that has failed, even because its time was over, may
// take to withdraw what it wrote. A Lambda function has half a second left then.
const withdrawTime = 400 * time.Millisecond

// withdraw removes the subscription of a request to join that failed after it may have
// been written. After a failure of a table it may stay if it is permitted: another request
// may have been told that it is there. It returns why the request failed.
func (r *Registry) withdraw(ctx context.Context, who domain.Principal, s domain.Subscription, why error) error {
	ctx, cancel := beyond(ctx, withdrawTime)
	defer cancel()
	var refused *domain.Error
	if errors.As(why, &refused) && refused.Code == domain.Unavailable {
		if now, err := r.look(ctx, who, s); err == nil && r.limit(now) == nil && now.connection == s.Connection {
			return why
		}
	}
	if err := r.remove(ctx, s); err != nil {
		return unavailable(errors.Join(why, err))
	}
	return why
}

// beyond returns a context that lasts some time longer than ctx, whether that has ended or
// not.
func beyond(ctx context.Context, longer time.Duration) (context.Context, context.CancelFunc) {
	end := time.Now()
	if deadline, ok := ctx.Deadline(); ok && deadline.After(end) && ctx.Err() == nil {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end.Add(longer))
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
	return tryAgain(ctx, func() (done bool, err error) {
		if err := r.Subscriptions.Unsubscribe(ctx, s); err != nil {
			return false, err
		}
		in, err := r.Subscriptions.Subscribed(ctx, s)
		return !in, err
	})
}
