package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/gobwas/ws"

	client "serverless-websocket/clients/go"
)

// resumeRef tells the answer to a resume from that to a broadcast, whose ref is a number.
const resumeRef = "resume"

// Received is what a connection that follows has received: a frame of messages or, if it
// has no messages, the answer to a resume.
type Received struct {
	client.Frame
	Resumed map[string]client.Answer // by channel
	Refused string                   // the code, when the service did not resume
	Wait    time.Duration            // with Refused, before the next request; 0 if it is not said
}

// Follow makes the connection return frames of messages and answers to resumes in
// Batch.Received, for a client.Inbox. All of their JSON is decoded. Call it before
// Receive.
func (c *Conn) Follow() { c.follows = true }

// Resume asks for what follows the positions.
func (c *Conn) Resume(ctx context.Context, positions map[string]string) error {
	request, err := json.Marshal(struct {
		Action    string            `json:"action"`
		Positions map[string]string `json:"positions,omitempty"`
		Ref       string            `json:"ref"`
	}{"resume", positions, resumeRef})
	if err != nil {
		return err
	}
	return c.write(ctx, ws.NewTextFrame(request))
}

// frame is a frame of messages, as text and decoded.
type frame struct {
	text    []byte
	decoded client.Frame
}

// decodeFollowed is Scan for a connection that follows. The service sends the same frame to
// all clients, one after the other, so one that is the same as the last is not decoded
// again.
func (c *Codec) decodeFollowed(d *desk, message []byte) {
	b := &d.batch
	if len(message) > 0 && bytes.Equal(message, d.last.text) {
		b.Frames++
		b.Received = append(b.Received, Received{Frame: d.last.decoded})
		return
	}
	var m struct {
		client.Frame
		Resumed map[string]client.Answer
		Error   *struct {
			Code, Ref  string
			RetryAfter int
		}
	}
	switch err := json.Unmarshal(message, &m); {
	case err == nil && m.Messages != nil:
		b.Frames++
		b.Received = append(b.Received, Received{Frame: m.Frame})
		d.last = frame{append(d.last.text[:0], message...), m.Frame}
	case err == nil && m.Resumed != nil:
		b.Received = append(b.Received, Received{Resumed: m.Resumed})
	case err == nil && m.Error != nil && m.Error.Ref == resumeRef:
		b.Received = append(b.Received, Received{Refused: m.Error.Code, Wait: time.Duration(m.Error.RetryAfter) * time.Second})
	default:
		c.decode(b, message)
	}
}

// Stamp returns the stamp of a message's content. It counts in the batch a message that is
// not an intact one of the run.
func (c *Conn) Stamp(b *Batch, content []byte) (s Stamp, ok bool) {
	if rest, ok := c.codec.scanStamp(content, &s); ok && len(rest) == 0 {
		return s, true
	}
	var one Batch
	c.codec.decodeContent(&one, content)
	b.Foreign += one.Foreign
	b.Damaged += one.Damaged
	if len(one.Stamps) == 0 {
		return s, false
	}
	return one.Stamps[0], true
}
