package wsgateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// readBuffer is small because every connection has one; a longer payload is read
// past it.
const readBuffer = 512

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

// messages holds the buffers in which messages are assembled. A connection has
// one only from the first byte of a message to the last.
var messages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// frameReader reads the frames of one connection. gobwas/ws has a reader of
// messages, but after an error that one does not tell how much of the payload is
// left to skip, without which the client's close frame cannot be found.
type frameReader struct {
	c       *conn
	src     *bufio.Reader
	header  [ws.MaxHeaderSize]byte
	payload io.LimitedReader // what is left of the frame
	state   ws.State
}

func newFrameReader(c *conn) *frameReader {
	r := &frameReader{c: c, src: bufio.NewReaderSize(connReader{c}, readBuffer), state: ws.StateServerSide}
	r.payload.R = r.src
	return r
}

// connReader reads from the socket and sees to its deadlines.
type connReader struct{ c *conn }

func (r connReader) Read(p []byte) (int, error) {
	c := r.c
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	for {
		n, err := c.sock.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || c.overdue() {
			return n, err
		}
	}
}

// next reads one message, or one control frame, with which it deals itself and
// then returns nil. The caller puts the buffer back. The error is a violation, a
// closeFrame or that of the socket.
func (r *frameReader) next() (*bytes.Buffer, error) {
	header, err := r.nextHeader()
	if err != nil {
		return nil, err
	}
	if header.OpCode.IsControl() {
		return nil, r.control(header)
	}
	message := messages.Get().(*bytes.Buffer)
	message.Reset()
	err = r.assemble(message, header)
	if err == nil && !utf8.Valid(message.Bytes()) {
		err = errUTF8
	}
	if err != nil {
		messages.Put(message)
		return nil, err
	}
	return message, nil
}

// assemble reads the frames of a message, the first of which has the header.
func (r *frameReader) assemble(message *bytes.Buffer, header ws.Header) error {
	for {
		if header.OpCode.IsControl() {
			if err := r.control(header); err != nil {
				return err
			}
		} else if err := r.data(message, header); err != nil || header.Fin {
			return err
		}
		var err error
		if header, err = r.nextHeader(); err != nil {
			return err
		}
	}
}

func (r *frameReader) data(message *bytes.Buffer, header ws.Header) error {
	limits := &r.c.g.cfg
	switch {
	case header.OpCode == ws.OpBinary:
		return errBinary
	case header.Length > int64(limits.FrameLimit):
		return errFrameSize
	case header.Length > int64(limits.MessageLimit-message.Len()):
		return errMessageSize
	}
	r.state = r.state.Set(ws.StateFragmented)
	if header.Fin {
		r.state = r.state.Clear(ws.StateFragmented)
	}
	return r.readPayload(message, header)
}

// readPayload appends the frame's payload. The buffer grows as bytes arrive: the
// length that a client announces costs nothing yet.
func (r *frameReader) readPayload(to *bytes.Buffer, header ws.Header) error {
	start := to.Len()
	if _, err := to.ReadFrom(&r.payload); err != nil {
		return err
	}
	if r.payload.N > 0 {
		return io.ErrUnexpectedEOF
	}
	ws.Cipher(to.Bytes()[start:], header.Mask, 0)
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
	var payload bytes.Buffer
	if err := r.readPayload(&payload, header); err != nil {
		return err
	}
	switch header.OpCode {
	case ws.OpPing:
		r.c.pong(payload.Bytes())
	case ws.OpClose:
		return parseClose(payload.Bytes())
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
