package client

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxHeld is how many messages of a channel wait for others. More than that is dropped:
	// the log has them.
	maxHeld = 10_000
	// remembered is how many ids of a channel are remembered. The service can number a
	// message twice when a queue repeats it, but then soon.
	remembered = 1_000
)

// Inbox puts what a client receives into the order of its channels: each message once, or
// an Event that says that some are lost. It is the state machine of docs/protocol.md, and
// neither sends nor waits: its owner sends a resume with Positions after each connect, when
// Missing has been true for some seconds, and now and then.
//
// It is not safe for concurrent use.
type Inbox struct {
	channels map[string]*channel
	left     map[string]bool // rooms of which nothing is expected on this connection any more
}

// Event is a message to hand on or, with Lost, the news that messages are missing between
// the one before in the channel and the next.
type Event struct {
	Channel string
	Message Message
	Lost    string // why: "reset" or "expired"
}

// channel is what the client knows of one.
type channel struct {
	name    string
	known   bool     // whether at is set
	at      position // of the last message handed on
	floor   int64    // messages up to this number came before the first position was known
	waiting bool     // for the answer to a resume
	more    bool     // whether there was more than the last answer had
	held    map[position]held
	seen    recent
}

// held is a message that waits for others.
type held struct {
	Message
	asked bool // whether a resume was sent since it came
}

// position is a place in a channel's log.
type position struct {
	epoch string
	seq   int64
}

func parsePosition(text string) position {
	epoch, number, _ := strings.Cut(text, ".")
	seq, _ := strconv.ParseInt(number, 10, 64) // the service's own
	return position{epoch, seq}
}

func (p position) String() string { return p.epoch + "." + strconv.FormatInt(p.seq, 10) }

// NewInbox returns an Inbox that knows no channel.
func NewInbox() *Inbox {
	return &Inbox{channels: make(map[string]*channel), left: make(map[string]bool)}
}

func (in *Inbox) channel(name string) *channel {
	c, ok := in.channels[name]
	if !ok {
		c = &channel{name: name, waiting: true, held: make(map[position]held)}
		in.channels[name] = c
	}
	return c
}

// Receive takes a frame of messages and returns what can be handed on. Messages without a
// number, of a service that keeps none, go on at once.
func (in *Inbox) Receive(f Frame) (events []Event) {
	name := cmp.Or(f.Channel, everyone)
	if in.left[name] {
		return nil
	}
	c := in.channel(name)
	if f.Epoch == "" {
		return c.handOn(f.Messages...)
	}
	for _, m := range f.Messages {
		events = append(events, c.receive(position{f.Epoch, m.Seq}, m)...)
	}
	if len(c.held) > maxHeld {
		c.drop()
	}
	return events
}

const (
	everyone   = "everyone"
	roomPrefix = "room:"
)

// Positions returns what a resume tells the service. From now on nothing is handed on until
// Resumed: live messages may overtake the answer.
func (in *Inbox) Positions() map[string]string {
	all := make(map[string]string)
	for name, c := range in.channels {
		c.ask()
		if c.known {
			all[name] = c.at.String()
		}
	}
	return all
}

// Resumed takes the answer to a resume. It returns what can be handed on, and whether
// there is more and it comes, so that the next resume is due at once. A channel that was
// refused waits: for the client to join the room again, or to call Left.
func (in *Inbox) Resumed(answers map[string]Answer) (events []Event, more bool) {
	moved := false
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if a := answers[name]; a.Error == nil && !in.left[name] {
			c := in.channel(name)
			before := c.at
			events = append(events, c.resumed(a)...)
			moved = moved || c.at != before
			more = more || a.More
		}
	}
	return events, more && moved
}

// Joining says that the client asks to join a room: its messages can come before the
// answer.
func (in *Inbox) Joining(room string) { delete(in.left, roomPrefix+room) }

// Joined takes the position that the answer to joinRoom has: the room's messages are in
// order from there. For a room that the client was in before, a resume is due instead.
func (in *Inbox) Joined(room, at string) (events []Event, resume bool) {
	in.Joining(room)
	c := in.channel(roomPrefix + room)
	if c.known || at == "" {
		return nil, true
	}
	return c.resumed(Answer{Position: at}), false
}

// Left forgets a room, and ignores what is late.
func (in *Inbox) Left(room string) {
	delete(in.channels, roomPrefix+room)
	in.left[roomPrefix+room] = true
}

// Disconnected says that the connection has ended: nothing late comes any more.
func (in *Inbox) Disconnected() { clear(in.left) }

// Missing reports whether messages wait for others before them, or there was more that did
// not come. It may be under way still; otherwise a resume brings it.
func (in *Inbox) Missing() bool {
	for _, c := range in.channels {
		if c.more || len(c.held) > 0 {
			return true
		}
	}
	return false
}

// resumed takes the answer about one channel.
func (c *channel) resumed(a Answer) (events []Event) {
	c.waiting, c.more = false, a.More
	at := parsePosition(a.Position)
	switch {
	case a.Recovered != nil && *a.Recovered:
		c.floor = 0 // what came before the first position and is late by now is dropped
		c.recover(at, a.Messages)
	case a.Recovered != nil:
		events = c.lose(a.Reason, at)
	case !c.known:
		c.start(at)
		c.floor = at.seq
	}
	if !a.More {
		events = append(events, c.strays()...)
	}
	return append(events, c.advance()...)
}

// lose goes on at another position than the channel's. Of the messages up to there those
// that have come are handed on; the others are lost.
func (c *channel) lose(reason string, at position) (events []Event) {
	before := c.at
	c.start(at)
	next := int64(-1)
	for _, p := range c.heldInOrder() {
		if p.epoch != at.epoch || p.seq > at.seq || p.epoch == before.epoch && p.seq <= before.seq {
			continue
		}
		if p.seq != next {
			events = append(events, Event{Channel: c.name, Lost: reason})
		}
		events = append(events, c.handOn(c.held[p].Message)...)
		delete(c.held, p)
		next = p.seq + 1
	}
	if next != at.seq+1 {
		events = append(events, Event{Channel: c.name, Lost: reason})
	}
	return events
}

// ask notes that a resume is sent.
func (c *channel) ask() {
	c.waiting = true
	for at, h := range c.held {
		h.asked = true
		c.held[at] = h
	}
}

// strays hands on messages that came before the log was read, and are in another epoch:
// they are late, and nothing will bring what was around them.
func (c *channel) strays() (events []Event) {
	for _, at := range c.heldInOrder() {
		if h := c.held[at]; h.asked && at.epoch != c.at.epoch {
			events = append(events, c.handOn(h.Message)...)
			delete(c.held, at)
		}
	}
	return events
}

// start goes on at a position.
func (c *channel) start(at position) { c.known, c.at, c.floor = true, at, 0 }

// recover takes the messages that follow the channel's position.
func (c *channel) recover(at position, messages []Message) {
	if at.epoch != c.at.epoch { // the log was empty, or goes on in another epoch
		c.start(at)
		if len(messages) > 0 {
			c.start(position{at.epoch, messages[0].Seq - 1})
		}
	}
	for _, m := range messages {
		c.held[position{at.epoch, m.Seq}] = held{Message: m}
	}
}

// receive takes a live message, and those that have waited for it.
func (c *channel) receive(at position, m Message) (events []Event) {
	if c.waiting || c.early(at) {
		c.held[at] = held{Message: m}
		return nil
	}
	events = c.take(at, m)
	for {
		next := position{c.at.epoch, c.at.seq + 1}
		h, ok := c.held[next]
		if !ok {
			return events
		}
		events = append(events, c.take(next, h.Message)...)
	}
}

// advance hands on what is in order, after the answer to a resume.
func (c *channel) advance() (events []Event) {
	for _, at := range c.heldInOrder() {
		if !c.early(at) { // others wait until a resume
			events = append(events, c.take(at, c.held[at].Message)...)
		}
	}
	return events
}

// take hands on a message that is not early, unless it was handed on before.
func (c *channel) take(at position, m Message) []Event {
	delete(c.held, at)
	switch {
	case at.epoch != c.at.epoch: // the first message of a log that was empty
		c.start(at)
	case at.seq == c.at.seq+1:
		c.at = at
	case at.seq > c.floor:
		return nil
	}
	return c.handOn(m)
}

// early reports whether a message has to wait for others.
func (c *channel) early(at position) bool {
	first := c.at.seq == 0 && at.seq == 1 // of a log that was empty
	return !first && (at.epoch != c.at.epoch || at.seq > c.at.seq+1)
}

func (c *channel) heldInOrder() []position {
	all := make([]position, 0, len(c.held))
	for at := range c.held {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b position) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.seq, b.seq))
	})
	return all
}

// drop forgets all but one of the messages that are held, so that Missing stays true.
func (c *channel) drop() {
	last := c.heldInOrder()[len(c.held)-1]
	c.held = map[position]held{last: c.held[last]}
}

// handOn returns the events of messages that were not handed on before.
func (c *channel) handOn(messages ...Message) (events []Event) {
	for _, m := range messages {
		if c.seen.add(m.ID) {
			events = append(events, Event{Channel: c.name, Message: m})
		}
	}
	return events
}

// recent remembers the latest ids.
type recent struct {
	known map[string]bool
	ring  []string
	next  int
}

// add remembers the id, and reports whether it is new.
func (r *recent) add(id string) bool {
	if r.known[id] {
		return false
	}
	if r.known == nil {
		r.known = make(map[string]bool)
	}
	if len(r.ring) < remembered {
		r.ring = append(r.ring, id)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % remembered
	}
	r.known[id] = true
	return true
}
