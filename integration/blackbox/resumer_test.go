package blackbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	reference "serverless-websocket/clients/go"
)

// resumer is a client that goes on where it was when its connection has ended. It is in
// one room.
type resumer struct {
	t        *testing.T
	name     string
	inbox    *reference.Inbox
	got      map[string][]string // contents by channel, in order
	accepted map[string][]string // contents by channel
	sent     int
	waiting  map[string]letter // by ref
}

// letter is a message that a resumer sends.
type letter struct{ channel, content string }

// The channels of all resumers.
const (
	everyoneChannel = "everyone"
	roomChannel     = "room:goals"
)

// heard is anything that the service sends to a resumer.
type heard struct {
	reference.Frame
	Accepted *accepted
	Error    *refused
	Joined   *struct{ Room, Position string }
	Resumed  map[string]reference.Answer
}

func newResumer(t *testing.T, name string) *resumer {
	return &resumer{
		t: t, name: name, inbox: reference.NewInbox(), waiting: make(map[string]letter),
		got: make(map[string][]string), accepted: make(map[string][]string),
	}
}

// connection is one connection of a resumer.
type connection struct {
	*resumer
	ws      *websocket.Conn
	ctx     context.Context
	frames  chan heard // closed when the connection has ended
	sending bool       // whether to send as soon as the last message is accepted
	resumed bool
	asked   time.Time // when a resume was sent last
}

// connect connects and catches up. The error is that of a service that is not there.
func (f *resumer) connect(ctx context.Context, url string, sending bool) (*connection, error) {
	ws, _, err := websocket.Dial(ctx, url+"/?token="+token(f.t, f.name, nil), nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxMessage)
	clear(f.waiting) // their answers are lost
	c := &connection{resumer: f, ws: ws, ctx: ctx, frames: make(chan heard), sending: sending}
	go c.read()
	c.send(map[string]any{"action": "joinRoom", "room": "goals"})
	c.resume()
	return c, nil
}

func (c *connection) read() {
	defer close(c.frames)
	for {
		var h heard
		_, payload, err := c.ws.Read(c.ctx)
		if err != nil {
			return
		}
		if err := json.Unmarshal(payload, &h); err != nil {
			c.t.Errorf("%s: %.200s: %v", c.name, payload, err)
		}
		c.frames <- h
	}
}

// send ignores errors: read notices the end of the connection.
func (c *connection) send(frame map[string]any) {
	text, err := json.Marshal(frame)
	if err != nil {
		c.t.Error(err)
	}
	_ = c.ws.Write(c.ctx, websocket.MessageText, text)
}

func (c *connection) resume() {
	c.asked = time.Now()
	c.send(map[string]any{"action": "resume", "positions": c.inbox.Positions()})
}

// follow handles frames until the condition holds, or the connection has ended.
func (c *connection) follow(until func() bool) {
	defer func() {
		c.ws.CloseNow()
		for range c.frames { // until read has ended
		}
	}()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !until() {
		select {
		case h, ok := <-c.frames:
			if !ok {
				return
			}
			c.handle(h)
		case <-again.C:
			if c.inbox.Missing() && time.Since(c.asked) > time.Second {
				c.resume()
			}
		}
	}
}

func (c *connection) handle(h heard) {
	switch {
	case h.Resumed != nil:
		events, more := c.inbox.Resumed(h.Resumed)
		c.take(events)
		c.resumed = !more
		if more {
			c.resume()
		} else if c.sending {
			c.sendNext()
		}
	case h.Joined != nil:
		events, due := c.inbox.Joined(h.Joined.Room, h.Joined.Position)
		c.take(events)
		if due {
			c.resume()
		}
	case h.Accepted != nil:
		one := c.waiting[h.Accepted.Ref]
		c.accepted[one.channel] = append(c.accepted[one.channel], one.content)
		delete(c.waiting, h.Accepted.Ref)
		if c.sending {
			c.sendNext()
		}
	case h.Error != nil:
		c.t.Errorf("%s is refused: %+v", c.name, *h.Error)
	default:
		c.take(c.inbox.Receive(h.Frame))
	}
}

func (c *connection) take(events []reference.Event) {
	for _, e := range events {
		if e.Lost != "" {
			c.t.Errorf("%s is told that messages of %s are lost: %s", c.name, e.Channel, e.Lost)
			continue
		}
		c.got[e.Channel] = append(c.got[e.Channel], string(e.Message.Content))
	}
}

// sendNext sends to everyone and to the room in turn, and keeps three messages under way.
func (c *connection) sendNext() {
	for len(c.waiting) < 3 {
		c.sent++
		if c.sent%2 == 0 {
			c.sendTo(everyoneChannel, fmt.Sprintf(`"%s %d"`, c.name, c.sent))
		} else {
			c.sendTo(roomChannel, fmt.Sprintf(`"%s %d"`, c.name, c.sent))
		}
	}
}

func (c *connection) sendTo(channel, content string) {
	frame := map[string]any{"action": "sendMessage", "content": json.RawMessage(content), "ref": content}
	if channel == roomChannel {
		frame["room"] = "goals"
	}
	c.waiting[content] = letter{channel, content}
	c.send(frame)
}

// has reports whether the resumer has got the content on both channels.
func (f *resumer) has(content string) bool {
	return slices.Contains(f.got[everyoneChannel], content) && slices.Contains(f.got[roomChannel], content)
}
