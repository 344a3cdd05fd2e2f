package wire

import (
	"errors"
	"fmt"
	"io"

	"github.com/gobwas/ws"
)

// errShort means that data ends too early.
var errShort = errors.New("incomplete")

// reading is the state of a connection's reads.
type reading struct {
	state  ws.State
	left   int64  // bytes of the data frame still to come
	final  bool   // it is the last frame of its message
	begun  bool   // the head of the message has been understood and dropped
	unread []byte // the part of the message that has arrived but is not understood yet
}

// frames reads the frames in data. The rest is too short to interpret.
func (c *Conn) frames(d *desk, data []byte) (rest []byte, err error) {
	for len(data) > 0 && err == nil {
		if c.left > 0 {
			data, err = c.payload(d, data)
		} else {
			data, err = c.frame(d, data)
		}
		if err == errShort {
			return data, nil
		}
	}
	return data, err
}

// frame reads a control frame, or the header of a data frame.
func (c *Conn) frame(d *desk, data []byte) (rest []byte, err error) {
	d.src.Reset(data)
	header, err := ws.ReadHeaderBuffer(&d.src, d.header[:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return data, errShort
	}
	if err == nil {
		err = ws.CheckHeader(header, c.state)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	behind := data[len(data)-d.src.Len():]
	if !header.OpCode.IsControl() {
		return behind, c.begin(d, header)
	}
	if int64(len(behind)) < header.Length {
		return data, errShort
	}
	return behind[header.Length:], c.control(header, behind[:header.Length])
}

func (c *Conn) control(header ws.Header, payload []byte) error {
	switch header.OpCode {
	case ws.OpPing:
		c.pong(payload)
	case ws.OpClose:
		return parseClose(payload)
	}
	return nil
}

// begin starts to read a data frame.
func (c *Conn) begin(d *desk, header ws.Header) error {
	if header.OpCode == ws.OpBinary {
		return fmt.Errorf("%w: a binary frame", ErrProtocol)
	}
	c.left, c.final = header.Length, header.Fin
	c.state = c.state.Set(ws.StateFragmented)
	if header.Fin {
		c.state = c.state.Clear(ws.StateFragmented)
	}
	if header.Length > 0 {
		return nil
	}
	_, err := c.payload(d, nil)
	return err
}

// payload reads from a data frame.
func (c *Conn) payload(d *desk, data []byte) (rest []byte, err error) {
	n := min(c.left, int64(len(data)))
	c.left -= n
	return data[n:], c.part(d, data[:n], c.final && c.left == 0)
}

// part reads part of a message, usually all of it. Parts that are understood are not
// kept: a thousand clients that get a long message at once would hold it a thousand
// times.
func (c *Conn) part(d *desk, data []byte, last bool) error {
	if len(c.unread) > 0 {
		d.join = append(append(d.join[:0], c.unread...), data...)
		data = d.join
	}
	if last {
		c.end(d, data)
		return nil
	}
	rest, begun := data, false
	if !c.follows {
		rest, begun = c.codec.scanPart(&d.batch, data, c.begun)
	}
	if len(rest) > maxUnread {
		return fmt.Errorf("%w: a message of more than %d bytes", ErrProtocol, maxUnread)
	}
	c.unread, c.begun = append(c.unread[:0], rest...), begun
	return nil
}

// end reads the last part of a message.
func (c *Conn) end(d *desk, data []byte) {
	switch {
	case c.follows:
		c.codec.decodeFollowed(d, data)
	case c.begun:
		c.codec.scanRest(&d.batch, data)
	default:
		c.codec.Scan(&d.batch, data)
	}
	c.unread, c.begun = c.unread[:0], false
	if cap(c.unread) > keptBuffer {
		c.unread = nil
	}
}
