package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxTries is how often a request tries because others change the same rows.
	maxTries = 7
	// firstPause is the longest pause before the second try, doubled before each later one.
	firstPause = 10 * time.Millisecond
)

// tryAgain calls try until it is done or fails, with random pauses, so that requests that
// change the same rows do not keep in step.
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

// Join adds the principal's connection to a room. To be in it already is no error.
//
// The errors are *domain.Error: InvalidRoom, Unauthenticated, Forbidden, TooManyRooms and
// Unavailable. After Unavailable the connection may be in the room or not; if it was in it
// before, it still is, unless that is not permitted any more.
func (r *Registry) Join(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string) error {
	if !domain.ValidRoom(room) {
		return domain.NewError(domain.InvalidRoom)
	}
	_, err := r.subscribe(ctx, id, who, domain.ToRoom(room))
	return err
}

// subscribe subscribes the principal's connection by what its row permits, and returns the
// row. The store takes the subscription only while the row is the same; when another
// request has changed it, the new row decides.
func (r *Registry) subscribe(ctx context.Context, id domain.ConnectionID, who domain.Principal, to domain.Recipients) (
	c domain.Connection, err error) {
	err = tryAgain(ctx, func() (done bool, err error) {
		if c, err = r.Caller(ctx, id, who); err != nil {
			return false, err
		}
		if to.Kind == domain.Room {
			err = r.Policy.MayJoin(c.Principal(), to.Name)
		}
		if err != nil {
			return false, err
		}
		err = r.Subscriptions.Subscribe(ctx, domain.Subscription{To: to, Connection: c}, r.MaxRooms)
		switch {
		case errors.Is(err, ports.ErrNotFound):
			return false, nil
		case errors.Is(err, ports.ErrTooMany):
			return false, domain.NewError(domain.TooManyRooms)
		}
		return true, err
	})
	return c, unavailable(err)
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
	return unavailable(r.Subscriptions.Unsubscribe(ctx, domain.Subscription{To: domain.ToRoom(room), Connection: c}))
}
