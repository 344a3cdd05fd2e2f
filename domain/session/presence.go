package session

import (
	"context"

	"serverless-websocket/domain"
)

// MaxPresent is the most users that one answer names.
const MaxPresent = 100

// Presence is who is in a room.
type Presence struct {
	Users []Present // a page of them
	More  bool      // there are more users after the last of these
	// Of the whole room:
	TotalUsers, TotalConnections int
}

// Present is a user in a room.
type Present struct {
	User        string
	Connections int
}

// Presence returns the users in a room that the principal's connection is in: at most
// limit, 1 to MaxPresent, after a user unless that is empty. It reads the whole room.
//
// The errors are *domain.Error: InvalidRoom, InvalidPage, Unauthenticated, Forbidden,
// NotAMember and Unavailable.
func (r *Registry) Presence(ctx context.Context, id domain.ConnectionID, who domain.Principal, room string, limit int, after string) (
	Presence, error) {
	switch {
	case !domain.ValidRoom(room):
		return Presence{}, domain.NewError(domain.InvalidRoom)
	case limit < 1 || limit > MaxPresent || after != "" && !domain.ValidUser(after):
		return Presence{}, domain.NewError(domain.InvalidPage)
	}
	c, err := r.Caller(ctx, id, who)
	if err == nil {
		err = r.member(ctx, c, room)
	}
	if err != nil {
		return Presence{}, err
	}
	p, err := r.count(ctx, domain.ToRoom(room), limit, after)
	return p, unavailable(err)
}

// member returns nil if the connection is in the room and may be. The errors are
// *domain.Error: those of MayJoin, NotAMember and Unavailable.
func (r *Registry) member(ctx context.Context, c domain.Connection, room string) error {
	if err := r.Policy.MayJoin(c.Principal(), room); err != nil {
		return err
	}
	in, err := r.Subscriptions.Subscribed(ctx, domain.Subscription{To: domain.ToRoom(room), Connection: c})
	switch {
	case err != nil:
		return unavailable(err)
	case !in:
		return domain.NewError(domain.NotAMember)
	}
	return nil
}

// count reads the members page by page. One user's connections follow each other.
func (r *Registry) count(ctx context.Context, room domain.Recipients, limit int, after string) (Presence, error) {
	var p Presence
	var last string
	shown := false // whether the user is on the page
	for from := domain.Cursor(""); ; {
		page, err := r.Subscriptions.Subscribers(ctx, room, domain.Segment{}, from)
		if err != nil {
			return Presence{}, err
		}
		for _, c := range page.Connections {
			p.TotalConnections++
			if c.User != last {
				last = c.User
				p.TotalUsers++
				shown = p.add(c.User, limit, after)
			}
			if shown {
				p.Users[len(p.Users)-1].Connections++
			}
		}
		if from = page.Next; from == "" {
			return p, nil
		}
	}
}

// add puts the user on the page if it belongs there.
func (p *Presence) add(user string, limit int, after string) bool {
	switch {
	case after != "" && domain.Place(user) <= domain.Place(after):
		return false
	case len(p.Users) == limit:
		p.More = true
		return false
	}
	p.Users = append(p.Users, Present{User: user})
	return true
}
