package client

import (
	"cmp"
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
	Again     bool              `json:"again,omitempty"`
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
	action string
	done   func(reply, error) // called when the answer has come
	timer  *timer
	send   *send // nil for a request of the client's own
}

// ask sends a request, under a new ref if it has none. When no answer comes, the connection
// is dead. An answer to a try under the same ref that was given up is one to this too.
func (c *Client) ask(r request, done func(reply, error)) *asked {
	l := c.link
	if r.Ref == "" {
		r.Ref = c.newRef()
	}
	text, err := encode(r)
	if err != nil {
		panic(err) // strings, and JSON that was encoded before
	}
	l.writes = append(l.writes, text)
	a := l.pending[r.Ref]
	if a == nil {
		a = &asked{action: r.Action, timer: c.after(c.Timeout, func() {
			c.cut(l, fmt.Errorf("%s: no answer within %v", r.Action, c.Timeout))
		})}
		l.pending[r.Ref] = a
	}
	a.done = done
	return a
}

// receive takes a frame.
func (c *Client) receive(text []byte) {
	var r *reply
	switch err := json.Unmarshal(text, &r); {
	case err != nil: // also when the connection ends within a frame: coder/websocket hands on what came of it
		c.cut(c.link, fmt.Errorf("%w: %w", errGarbled, err))
		return
	case r == nil || !validMessages(r.Messages, r.Epoch != ""):
		c.cut(c.link, errGarbled)
		return
	}
	if r.Messages != nil {
		c.deliver(r.Frame)
		return
	}
	a := c.link.pending[r.ref()]
	switch {
	case a == nil: // not for this client, or too late
	case r.answers(a.action):
		delete(c.link.pending, r.ref())
		a.timer.stop()
		c.answer(a, r)
	default:
		c.cut(c.link, fmt.Errorf("%s: %w", a.action, errGarbled))
	}
}

// answer takes the answer to a request.
func (c *Client) answer(a *asked, r *reply) {
	if r.Error == nil {
		a.done(*r, nil)
		return
	}
	l, err := c.link, &r.Error.Error
	over := c.tokenIsOver(a.action, err)
	if a.send != nil || !over {
		a.done(*r, err)
	}
	if over {
		c.cut(l, err) // a new connection has a good token, or needs none
	}
}

// tokenIsOver reports whether the client needs another token. A service without users goes
// on to say so: only a resume it does not refuse.
func (c *Client) tokenIsOver(action string, err *Error) bool {
	if err.Code != "unauthenticated" || c.Token == nil || c.doubted && action != "resume" {
		return false
	}
	c.doubted = true
	return true
}

// deliver takes messages, or leaves them to a later resume.
func (c *Client) deliver(f Frame) {
	switch {
	case !c.wants(f.Channel):
	case c.crowded():
		c.fallBehind()
	default:
		c.events = append(c.events, c.inbox.Receive(f)...)
	}
	c.watch()
}

// newRef returns a ref that no other device of the user has.
func (c *Client) newRef() string {
	c.refs++
	return c.tag + strconv.Itoa(c.refs)
}

// send is a message to send.
type send struct {
	request
	result chan sent
	finish func(id string, err error) // once
	number int                        // in the order in which they are sent; 0 before
	repeat bool                       // whether the client sends it once more itself
	over   bool
}

// sent is what becomes of it.
type sent struct {
	id  string
	err error
}

// enqueue sends a message, now or when there is a connection.
func (c *Client) enqueue(s *send) {
	if err := c.refuses(s); err != nil {
		s.result <- sent{err: err}
		return
	}
	c.taken[s] = true
	timer := time.AfterFunc(c.Timeout, func() { c.post(func() { c.giveUp(s) }) })
	s.finish = func(id string, err error) {
		if !s.over {
			s.over = true
			timer.Stop()
			delete(c.taken, s)
			s.result <- sent{id, err}
		}
	}
	c.sends = append(c.sends, s)
	c.flush()
}

// refuses returns why a message cannot wait to be sent.
func (c *Client) refuses(s *send) error {
	for other := range c.taken {
		if s.Ref != "" && s.Ref == other.Ref {
			return ErrRefInUse
		}
	}
	if len(c.taken) == c.MaxSends {
		return ErrFull
	}
	return nil
}

// flush sends what waits. Before a resume, the client may not be in its rooms.
func (c *Client) flush() {
	if c.link == nil || !c.link.live {
		return
	}
	for _, s := range c.sends {
		if s.number == 0 {
			s.Ref = cmp.Or(s.Ref, c.newRef())
			s.number = c.refs
		}
		c.ask(s.request, func(r reply, err error) {
			switch {
			case r.Accepted != nil:
				s.finish(r.Accepted.ID, nil)
			case s.repeat && !hasCode(err, "unavailable"): // that says nothing of the first try
				s.finish("", ErrUnanswered)
			default:
				s.finish("", err)
			}
		}).send = s
	}
	c.sends = nil
}

// sendAgain has the messages that wait for answers on a link sent again on the next, in
// their order and before others, if the service knows that they are the same.
func (c *Client) sendAgain(l *link) {
	var unanswered []*send
	for _, a := range l.pending {
		switch s := a.send; {
		case s == nil || s.over:
		case c.Token != nil && l.keeps:
			s.Again, s.repeat = true, true
			unanswered = append(unanswered, s)
		default:
			s.finish("", ErrUnanswered)
		}
	}
	slices.SortFunc(unanswered, func(a, b *send) int { return cmp.Compare(a.number, b.number) })
	c.sends = append(unanswered, c.sends...)
}

// giveUp ends a send that has taken too long.
func (c *Client) giveUp(s *send) {
	if s.finish == nil {
		return // it was refused at once
	}
	c.sends = slices.DeleteFunc(c.sends, func(other *send) bool { return other == s })
	s.finish("", s.unsent(ErrNotSent))
}

// unsent returns the error of a message that is not sent any more: ErrUnanswered if it was
// sent before.
func (s *send) unsent(never error) error {
	if s.number == 0 {
		return never
	}
	return ErrUnanswered
}
