package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/gobwas/ws/wsutil"
)

// CentrifugeChannel is the channel that clients of a Centrifuge server publish into.
const CentrifugeChannel = "all"

// Commands have ids. The first is 1, and 0 means none.
const (
	connectCommand = `{"id":1,"connect":{}}`
	firstPublish   = 2
)

const (
	pushHead = `{"push":{"channel":"` + CentrifugeChannel + `","pub":{"data":`
	pushTail = `}}}`
)

// appendPublish appends the command to publish a broadcast.
func appendPublish(to, content []byte, n int) []byte {
	to = append(to, `{"id":`...)
	to = strconv.AppendInt(to, int64(n)+firstPublish, 10)
	to = append(to, `,"publish":{"channel":"`+CentrifugeChannel+`","data":`...)
	to = append(to, content...)
	return append(to, `}}`...)
}

// greet sends the protocol's opening command over a new socket and waits for the answer,
// which subscribes the client.
func (c *Codec) greet(sock net.Conn, timeout time.Duration) error {
	if c.protocol != Centrifuge {
		return nil
	}
	if err := sock.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if err := wsutil.WriteClientText(sock, []byte(connectCommand)); err != nil {
		return err
	}
	answer, err := wsutil.ReadServerText(struct {
		io.Reader
		io.Writer
	}{sock, sock})
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(answer, []byte(`{"id":1,"connect":`)) {
		return fmt.Errorf("%w: %s in answer to connect", ErrProtocol, answer)
	}
	return sock.SetDeadline(time.Time{})
}

// scanLines is Scan for Centrifuge, whose messages consist of lines.
func (c *Codec) scanLines(b *Batch, message []byte) {
	pushes := false
	for line := range bytes.SplitSeq(bytes.TrimSuffix(message, []byte("\n")), []byte("\n")) {
		content, push := cut(line, pushHead)
		pushes = pushes || push
		switch {
		case !push:
			decodeAnswer(b, line)
		case !c.scanPush(b, content):
			c.decodePush(b, line)
		}
	}
	if pushes {
		b.Frames++
	}
}

// scanPush reports whether it understood a push after its head.
func (c *Codec) scanPush(b *Batch, content []byte) bool {
	var s Stamp
	if rest, ok := c.scanStamp(content, &s); ok && string(rest) == pushTail {
		b.Stamps = append(b.Stamps, s)
		return true
	}
	if rest, ok := scanString(content); ok && string(rest) == pushTail {
		b.Foreign++
		return true
	}
	return false
}

func (c *Codec) decodePush(b *Batch, line []byte) {
	var m struct {
		Push struct {
			Pub struct{ Data json.RawMessage }
		}
	}
	if json.Unmarshal(line, &m) != nil {
		b.Unreadable++
		return
	}
	c.decodeContent(b, m.Push.Pub.Data)
}

// decodeAnswer reads the answer to a command to publish.
func decodeAnswer(b *Batch, line []byte) {
	var m struct {
		ID      int
		Publish *struct{}
		Error   *struct{ Code int }
	}
	if json.Unmarshal(line, &m) != nil || m.ID < firstPublish || (m.Publish == nil) == (m.Error == nil) {
		b.Unreadable++
		return
	}
	r := Reply{N: m.ID - firstPublish, Accepted: m.Error == nil}
	if m.Error != nil {
		r.Code = strconv.Itoa(m.Error.Code)
	}
	b.Replies = append(b.Replies, r)
}
