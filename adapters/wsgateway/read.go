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
	// readBuffer is the size of the read buffer. Longer payloads bypass it.
	readBuffer = 4 << 10
	// leastGrowth is the least by which a message's memory grows.
	leastGrowth = 4 << 10
	// keptMessage is the most memory that is kept for the next message.
	keptMessage = 8 << 10
)

// violation is a client's error that closes the connection.
type violation disconnection

func (v violation) Error() string { return v.reason }

// closeFrame is the client's close frame, as an error.
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

// frameReader reads the frames of one connection. The message reader of gobwas/ws
// does not reveal, after an error, how much of the payload is left to skip, which is
// needed to find the client's close frame. The callers of its methods hold a turn,
// which it gives up while it waits.
type frameReader struct {
	c       *conn
	src     *bufio.Reader // reads through Read
	header  [ws.MaxHeaderSize]byte
	payload io.LimitedReader // what is left of the frame
	state   ws.State

	message    []byte
	completeBy time.Time // deadline of the message that has begun; zero if none has
	memory     *claim    // of that message, once the reader has waited for the rest of it
}

func (r *frameReader) reset(c *conn) {
	r.c, r.state, r.payload.N = c, ws.StateServerSide, 0
	r.src.Reset(r)
}

// release returns the reader to the pool, with memory for a short message.
func (r *frameReader) release() {
	r.c = nil
	if cap(r.message) > keptMessage {
		r.message = nil
	}
	readers.Put(r)
}

// between reports whether the reader is between messages and has nothing buffered.
func (r *frameReader) between() bool {
	return r.src.Buffered() == 0 && !r.state.Fragmented()
}

// Read reads from the socket and handles its deadlines.
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

// claimMemory claims the memory of a message that has begun, before the reader waits
// for the rest of it.
func (r *frameReader) claimMemory() {
	switch c, size := r.c, readBuffer+cap(r.message); {
	case r.completeBy.IsZero():
	case r.memory == nil:
		r.memory = c.g.assembling.claim(size, func() { c.abort(evicted) })
	default:
		r.memory.grow(size - r.memory.amount)
	}
}

// next reads one message, or one control frame, which it handles before it returns
// nil. The message is valid until the next call. The error is a violation, a
// closeFrame or the socket's.
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

// complete clears the deadline and the memory claim of the message.
func (r *frameReader) complete() {
	r.completeBy = time.Time{}
	if r.memory != nil {
		r.memory.release()
		r.memory = nil
	}
}

// assemble reads the frames of a message. header is that of the first.
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

// readPayload appends the frame's payload to the message. Memory grows as bytes
// arrive, and never beyond the frame: a client takes none by announcing a length.
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

// parseClose returns a closeFrame or a violation. A close frame without a code counts
// as 1005, with the reason that API Gateway gives.
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

// maySend reports whether a close frame may have the code: one that is registered for
// the protocol, or one from the ranges for libraries and applications (RFC 6455,
// 7.4, and https://www.iana.org/assignments/websocket). 1004 to 1006 and 1015 are
// never sent.
func maySend(code ws.StatusCode) bool {
	return 1000 <= code && code <= 1003 || 1007 <= code && code <= 1014 || 3000 <= code && code <= 4999
}

// awaitClose discards what the client sends until its close frame, the end of the
// stream or the deadline. Closing the socket with unread data would reset it, and the
// client could miss the gateway's close frame.
func (r *frameReader) awaitClose() {
	r.c.stillSending() // the client may have kept sending while a message was handled
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
