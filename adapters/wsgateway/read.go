package wsgateway

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// readBuffer is how much is read at once of what is short; a longer payload is
	// read past it.
	readBuffer = 4 << 10
	// leastGrowth is how much a message's memory grows by at least.
	leastGrowth = 4 << 10
	// keptMessage is how much memory is kept for the next message.
	keptMessage = 8 << 10
)

// violation is an error of the client's that ends the connection.
type violation disconnection

func (v violation) Error() string { return v.reason }

// closeFrame is the client's wish to end the connection, in the form of an error.
type closeFrame disconnection

func (f closeFrame) Error() string { return "closed by the client" }

var (
	errBinary       = violation{ws.StatusUnsupportedData, "Binary frames are not supported"}
	errFrameSize    = violation{ws.StatusMessageTooBig, "Frame is too long"}
	errMessageSize  = violation{ws.StatusMessageTooBig, "Message is too long"}
	errUTF8         = violation{ws.StatusInvalidFramePayloadData, "Message is not UTF-8"}
	errClosePayload = violation{ws.StatusProtocolError, "Malformed close frame"}
)

// readers holds the readers of connections that are not parked.
var readers = sync.Pool{New: func() any {
	r := new(frameReader)
	r.src = bufio.NewReaderSize(r, readBuffer)
	r.payload.R = r.src
	return r
}}

// frameReader reads the frames of one connection. gobwas/ws has a reader of
// messages, but after an error that one does not tell how much of the payload is
// left to skip, without which the client's close frame cannot be found. Its
// methods are called with a turn, which it gives back while it waits.
type frameReader struct {
	c       *conn
	src     *bufio.Reader // on the frameReader itself
	header  [ws.MaxHeaderSize]byte
	payload io.LimitedReader // what is left of the frame
	state   ws.State

	message    []byte
	completeBy time.Time // the message that has begun; zero if none has
	memory     *claim    // of that message, once its rest had to be waited for
}

func (r *frameReader) reset(c *conn) {
	r.c, r.state, r.payload.N = c, ws.StateServerSide, 0
	r.src.Reset(r)
}

// release gives the reader back, with memory for a message that is not long.
func (r *frameReader) release() {
	r.c = nil
	if cap(r.message) > keptMessage {
		r.message = nil
	}
	readers.Put(r)
}

// between says whether the next byte is the first one of a message.
func (r *frameReader) between() bool {
	return r.src.Buffered() == 0 && !r.state.Fragmented()
}

// Read reads from the socket, and sees to its deadlines.
func (r *frameReader) Read(p []byte) (int, error) {
	c := r.c
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	if n, err := c.tryRead(p); n > 0 || err != nil {
		return n, err
	}
	r.claimMemory()
	c.hasten(r.completeBy)
	c.g.turns.leave()
	defer c.g.turns.enter()
	for {
		n, err := c.sock.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || c.overdue(r.completeBy) {
			return n, err
		}
	}
}

// claimMemory claims the memory of a message that has begun, now that there is a
// wait for its rest.
func (r *frameReader) claimMemory() {
	switch c, size := r.c, readBuffer+cap(r.message); {
	case r.completeBy.IsZero():
	case r.memory == nil:
		r.memory = c.g.assembling.claim(size, func() { c.abort(evicted) })
	default:
		r.memory.grow(size - r.memory.amount)
	}
}

// next reads one message, or one control frame, with which it deals itself and
// then returns nil. The message is good until the next call. The error is a
// violation, a closeFrame or that of the socket.
func (r *frameReader) next() ([]byte, error) {
	if _, err := r.src.Peek(1); err != nil {
		return nil, err
	}
	r.message = r.message[:0]
	r.completeBy = time.Now().Add(r.c.g.cfg.MessageTimeout)
	defer r.complete()
	header, err := r.nextHeader()
	if err == nil && header.OpCode.IsControl() {
		return nil, r.control(header)
	}
	if err == nil {
		err = r.assemble(header)
	}
	if err == nil && !utf8.Valid(r.message) {
		err = errUTF8
	}
	if err != nil {
		return nil, err
	}
	return r.message, nil
}

// complete ends what holds for a message that is being read.
func (r *frameReader) complete() {
	r.completeBy = time.Time{}
	if r.memory != nil {
		r.memory.release()
		r.memory = nil
	}
}

// assemble reads the frames of a message, the first of which has the header.
func (r *frameReader) assemble(header ws.Header) error {
	for {
		if header.OpCode.IsControl() {
			if err := r.control(header); err != nil {
				return err
			}
		} else if err := r.data(header); err != nil || header.Fin {
			return err
		}
		var err error
		if header, err = r.nextHeader(); err != nil {
			return err
		}
	}
}

func (r *frameReader) data(header ws.Header) error {
	limits := &r.c.g.cfg
	switch {
	case header.OpCode == ws.OpBinary:
		return errBinary
	case header.Length > int64(limits.FrameLimit):
		return errFrameSize
	case header.Length > int64(limits.MessageLimit-len(r.message)):
		return errMessageSize
	}
	r.state = r.state.Set(ws.StateFragmented)
	if header.Fin {
		r.state = r.state.Clear(ws.StateFragmented)
	} else {
		r.c.countIdle()
	}
	return r.readPayload(header)
}

// readPayload appends the frame's payload to the message. Its memory grows as
// bytes arrive, and never beyond the frame: the length that a client announces
// costs nothing yet.
func (r *frameReader) readPayload(header ws.Header) error {
	start := len(r.message)
	for r.payload.N > 0 {
		n := len(r.message)
		if n == cap(r.message) {
			more := min(int(r.payload.N), max(leastGrowth, n))
			r.message = append(make([]byte, 0, n+more), r.message...)
		}
		read, err := r.payload.Read(r.message[n:cap(r.message)])
		r.message = r.message[:n+read]
		if err != nil {
			return err
		}
	}
	ws.Cipher(r.message[start:], header.Mask, 0)
	return nil
}

func (r *frameReader) nextHeader() (ws.Header, error) {
	header, err := ws.ReadHeaderBuffer(r.src, r.header[:])
	if errors.Is(err, ws.ErrHeaderLengthMSB) {
		return header, violation{ws.StatusProtocolError, err.Error()}
	}
	if err != nil {
		return header, err
	}
	r.payload.N = header.Length
	r.c.touch()
	if err := ws.CheckHeader(header, r.state); err != nil {
		return header, violation{ws.StatusProtocolError, err.Error()}
	}
	return header, nil
}

func (r *frameReader) control(header ws.Header) error {
	var small [ws.MaxControlFramePayloadSize]byte
	payload := small[:header.Length]
	if _, err := io.ReadFull(&r.payload, payload); err != nil {
		return err
	}
	ws.Cipher(payload, header.Mask, 0)
	r.c.countIdle()
	switch header.OpCode {
	case ws.OpPing:
		r.c.pong(payload)
	case ws.OpClose:
		return parseClose(payload)
	}
	return nil
}

// parseClose returns the closeFrame, or a violation. 1005 stands for a close
// frame with no code, and the text is API Gateway's.
func parseClose(payload []byte) error {
	if len(payload) == 0 {
		return closeFrame{ws.StatusNoStatusRcvd, "Client-side close frame status not set"}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if !maySend(code) || !utf8.ValidString(reason) {
		return errClosePayload
	}
	return closeFrame{code, reason}
}

// maySend reports whether a close frame may have the code: one registered for
// the protocol, or one of the ranges for libraries and applications (RFC 6455,
// 7.4, and https://www.iana.org/assignments/websocket). 1004 to 1006 and 1015
// are never sent.
func maySend(code ws.StatusCode) bool {
	return 1000 <= code && code <= 1003 || 1007 <= code && code <= 1014 || 3000 <= code && code <= 4999
}

// awaitClose skips what the client sends until its close frame, the end of the
// stream or the deadline. Closing the socket with data unread would reset it,
// and could take the close frame from the client.
func (r *frameReader) awaitClose() {
	r.c.stillSending() // when a message was being handled, it has been sending all the while
	for closed := false; ; {
		_, err := io.Copy(io.Discard, &r.payload)
		if err != nil || r.payload.N > 0 || closed {
			return
		}
		header, err := ws.ReadHeaderBuffer(r.src, r.header[:])
		if err != nil {
			return
		}
		r.payload.N = header.Length
		r.c.stillSending()
		closed = header.OpCode == ws.OpClose
	}
}
