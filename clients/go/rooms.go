package client

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// room is one that the client is in, or wants to be in.
type room struct {
	wanted  bool
	joined  bool // on this connection
	refused bool // on this connection: another may have a better token
	asked   bool // whether a request about it is under way: there is one at a time
	rejoins int  // in a row
	waiting []waiter
}

// waiter is a user who waits to be in a room, or out of it.
type waiter struct {
	in   bool
	told func(error)
}

// tell tells those who wait to be in the room, or those who wait to be out of it, and
// reports whether there were any.
func (r *room) tell(in bool, err error) (some bool) {
	var others []waiter
	for _, w := range r.waiting {
		if w.in == in {
			w.told(err)
		} else {
			others = append(others, w)
		}
	}
	some = len(others) < len(r.waiting)
	r.waiting = others
	return some
}

// wants reports whether messages of the channel are for the user.
func (c *Client) wants(channel string) bool {
	name, ok := strings.CutPrefix(channel, "room:")
	return !ok || c.rooms[name] != nil && c.rooms[name].wanted
}

// change notes whether the user wants to be in a room, and sees to it.
func (c *Client) change(name string, wanted bool, told func(error)) {
	r := c.rooms[name]
	if r == nil {
		r = new(room)
		c.rooms[name] = r
	}
	r.wanted, r.refused = wanted, false
	r.waiting = append(r.waiting, waiter{wanted, told})
	if wanted {
		c.inbox.Joining(name)
	} else {
		c.inbox.Left(name)
	}
	c.settle(name)
}

// maxRoom is the longest name of a room. Requests with a much longer one would end each
// connection.
const maxRoom = 128

var errInvalidRoom = &Error{Code: "invalid_room", Message: "the name of a room has at most 128 characters"}

// settle makes the next request about a room, if one is needed.
func (c *Client) settle(name string) {
	r := c.rooms[name]
	switch {
	case r.asked:
	case r.wanted == r.joined:
		r.tell(true, nil)
		r.tell(false, nil)
		if !r.wanted {
			delete(c.rooms, name)
		}
	case len(name) > maxRoom:
		c.refused(name, errInvalidRoom)
	case c.link == nil, r.refused: // until there is another
	case r.wanted:
		r.asked = true
		c.ask(request{Action: "joinRoom", Room: name}, func(answer reply, err error) { c.joined(name, answer, err) })
	default:
		r.asked = true
		c.ask(request{Action: "leaveRoom", Room: name}, func(_ reply, err error) { c.left(name, err) })
	}
}

// joinAll joins the rooms of a new connection. The resume is due when all have answered.
func (c *Client) joinAll() {
	for _, name := range slices.Sorted(maps.Keys(c.rooms)) {
		c.settle(name)
	}
	c.begin()
}

// begin resumes for the first time on a connection, unless rooms are still to be joined.
func (c *Client) begin() {
	for _, r := range c.rooms {
		if r.asked {
			return
		}
	}
	if c.link != nil && !c.link.live {
		c.link.live = true
		c.resume()
		c.flush()
	}
}

func (c *Client) joined(name string, answer reply, err error) {
	r := c.rooms[name]
	r.asked = false
	switch {
	case err == nil:
		r.joined = true
		if r.wanted {
			c.joinedAt(name, answer.Joined)
		}
		c.settle(name)
	case temporary(err):
		c.joinLater(name, err)
	case c.mayLater(err):
		c.shutOut(name, err)
	default:
		c.refused(name, err)
	}
	c.begin()
	c.watch()
}

// joinLater joins a room at the next repair, unless the user has left it meanwhile.
func (c *Client) joinLater(name string, err error) {
	if c.rooms[name].wanted {
		c.link.tryLater(err)
	} else {
		c.settle(name)
	}
}

func (c *Client) joinedAt(name string, at *answered) {
	position := ""
	if at != nil {
		position = at.Position
	}
	events, due := c.inbox.Joined(name, position)
	c.events = append(c.events, events...)
	if due && c.link.live && c.link.keeps {
		c.resume()
	}
}

func (c *Client) left(name string, err error) {
	r := c.rooms[name]
	r.asked, r.joined = false, false
	if err != nil {
		r.tell(false, err)
	}
	c.settle(name)
	c.begin()
	c.watch()
}

// refused forgets a room that the client may not be in.
func (c *Client) refused(name string, err error) {
	c.deny(name, err)
	delete(c.rooms, name)
	c.inbox.Left(name)
}

// mayLater reports whether the client may be in a room once it has another token.
func (c *Client) mayLater(err error) bool { return c.Token != nil && hasCode(err, "unauthenticated") }

// shutOut notes that the client may not be in a room on this connection.
func (c *Client) shutOut(name string, err error) {
	c.deny(name, err)
	c.rooms[name].refused = true
	c.settle(name)
}

// deny tells that the client may not be in a room. Those who want to be out of it are.
func (c *Client) deny(name string, err error) {
	r := c.rooms[name]
	if told := r.tell(true, err); !told && r.wanted {
		c.tell(fmt.Errorf("room %s: %w", name, err))
	}
	r.tell(false, nil)
}

// forgetRooms notes that a connection has ended: it is in no room.
func (c *Client) forgetRooms() {
	c.inbox.Disconnected()
	for _, name := range slices.Sorted(maps.Keys(c.rooms)) {
		r := c.rooms[name]
		r.asked, r.joined, r.refused = false, false, false
		if !r.wanted {
			c.settle(name)
		}
	}
}

// rejoin joins a room again of which the service says that the client is not in it: the
// first time at once.
func (c *Client) rejoin(name string) {
	r := c.rooms[name]
	r.joined = false
	r.rejoins++
	if r.rejoins == 1 {
		c.settle(name)
	} else {
		c.link.failed = true
	}
}
