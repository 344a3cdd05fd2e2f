package client

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// request is a frame that the client sends.
type request struct {
	Action    string            `json:"action"`
	Content   json.RawMessage   `json:"content,omitempty"`
	To        string            `json:"to,omitempty"`
	Room      string            `json:"room,omitempty"`
	Positions map[string]string `json:"positions,omitempty"`
	Token     string            `json:"token,omitempty"`
	Ref       string            `json:"ref"`
}

// reply is a frame that the client gets: messages, or the answer to a request.
type reply struct {
	Frame
	Accepted      *answered         `json:"accepted"`
	Joined        *answered         `json:"joined"`
	Left          *answered         `json:"left"`
	Authenticated *answered         `json:"authenticated"`
	Resumed       map[string]Answer `json:"resumed"`
	Error         *struct {
		Error
		answered
	} `json:"error"`
	Ref string `json:"ref"` // of a resume; the others have it inside
}

// answered is what there is in an answer.
type answered struct {
	ID       string `json:"id"`
	Position string `json:"position"`
	Ref      string `json:"ref"`
}

// ref returns the request that is answered.
func (r *reply) ref() string {
	for _, a := range []*answered{r.Accepted, r.Joined, r.Left, r.Authenticated} {
		if a != nil {
			return a.Ref
		}
	}
	if r.Error != nil {
		return r.Error.Ref
	}
	return r.Ref
}

// asked is a request without an answer so far.
type asked struct {
	done  func(reply, error) // called when the answer has come
	timer *time.Timer
	send  *send // nil for a request of the client's own
}

// ask sends a request. When no answer comes, the connection is dead.
func (c *Client) ask(r request, done func(reply, error)) *asked {
	l := c.link
	c.refs++
	r.Ref = strconv.Itoa(c.refs)
	text, err := encode(r)
	if err != nil {
		panic(err) // strings, and JSON that was encoded before
	}
	l.writes = append(l.writes, text)
	a := &asked{done: done, timer: c.after(c.Timeout, func() {
		c.cut(l, fmt.Errorf("%s: no answer within %v", r.Action, c.Timeout))
	})}
	l.pending[r.Ref] = a
	return a
}

// receive takes a frame.
func (c *Client) receive(text []byte) {
	var r reply
	if err := json.Unmarshal(text, &r); err != nil {
		c.OnError(fmt.Errorf("a frame that is not understood: %w", err))
		return
	}
	if r.Messages != nil {
		if c.wants(r.Channel) {
			c.events = append(c.events, c.inbox.Receive(r.Frame)...)
		}
		c.watch()
		return
	}
	a := c.link.pending[r.ref()]
	if a == nil {
		return
	}
	delete(c.link.pending, r.ref())
	a.timer.Stop()
	if r.Error == nil {
		a.done(r, nil)
		return
	}
	if err := &r.Error.Error; err.Code == "unauthenticated" && c.Token != nil && a.send == nil && c.link.answered {
		c.cut(c.link, err) // the token has expired; a new connection has a good one, or needs none
	} else {
		a.done(r, err)
	}
}

// send is a message to send.
type send struct {
	request
	result chan sent
	finish func(id string, err error) // once
	sent   bool
}

// sent is what becomes of it.
type sent struct {
	id  string
	err error
}

// enqueue sends a message, now or when there is a connection.
func (c *Client) enqueue(s *send) {
	if c.taken == c.MaxSends {
		s.result <- sent{err: ErrFull}
		return
	}
	c.taken++
	timer := time.AfterFunc(c.Timeout, func() { c.post(func() { c.giveUp(s) }) })
	over := false
	s.finish = func(id string, err error) {
		if !over {
			over = true
			timer.Stop()
			c.taken--
			s.result <- sent{id, err}
		}
	}
	c.sends = append(c.sends, s)
	c.flush()
}

// flush sends what waits. Before a resume, the client may not be in its rooms.
func (c *Client) flush() {
	if c.link == nil || !c.link.live {
		return
	}
	for _, s := range c.sends {
		s.sent = true
		c.ask(s.request, func(r reply, err error) {
			if r.Accepted != nil {
				s.finish(r.Accepted.ID, nil)
			} else {
				s.finish("", err)
			}
		}).send = s
	}
	c.sends = nil
}

// giveUp ends a send that has taken too long.
func (c *Client) giveUp(s *send) {
	if s.finish == nil {
		return // it was refused at once
	}
	if s.sent {
		s.finish("", ErrUnanswered)
		return
	}
	c.sends = slices.DeleteFunc(c.sends, func(other *send) bool { return other == s })
	s.finish("", ErrNotSent)
}
