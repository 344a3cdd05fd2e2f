package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// closeTimeout is how long the server may take to answer a close frame.
const closeTimeout = 2 * time.Second

// Conn is a connection to the service. Receive is for one goroutine, the other
// methods may be called by any.
type Conn struct {
	sock  socket
	codec *Codec
	clock Clock
	reads reads
	poll  func(handle func(*Batch)) error // reads in place of Receive; nil for none
	reading

	early   []byte // came right behind the handshake
	partial []byte // the beginning of a header or a control frame

	writing chan struct{} // is full while a frame is written
	broken  atomic.Bool   // a frame was written in part: no other can follow
	ponging atomic.Bool
	closing atomic.Bool
}

// socket is what a connection needs of a net.Conn besides the reading.
type socket interface {
	io.WriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// NewConn returns the connection over a socket on which the handshake is done.
// early is what the server sent right behind it.
func NewConn(sock net.Conn, early []byte, codec *Codec, clock Clock) *Conn {
	return &Conn{
		sock:    sock,
		codec:   codec,
		clock:   clock,
		reads:   newReads(sock),
		reading: reading{state: ws.StateClientSide},
		early:   early,
		writing: make(chan struct{}, 1),
	}
}

// Throttle makes a slow reader of the connection: it reads at most chunk bytes at
// a time, with a small buffer in the operating system so that the server notices,
// and calls wait after each read with the bytes it brought. When wait returns
// false, the connection is as fast as any from then on. Call it before Receive.
func (c *Conn) Throttle(chunk int, wait func(bytes int) (slow bool)) {
	c.reads.chunk, c.reads.wait = min(chunk, c.reads.most), wait
	c.setReadBuffer(slowBuffer)
}

// Buffers of the operating system for slow readers, and for those that were, in
// bytes.
const (
	slowBuffer = 8 << 10
	fastBuffer = 256 << 10
)

func (c *Conn) setReadBuffer(bytes int) {
	if tcp, ok := c.sock.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(bytes) // fails on a closed socket, as the reading will
	}
}

// pause has a slow reader wait.
func (c *Conn) pause(bytes int) {
	if c.reads.wait != nil && !c.reads.wait(bytes) {
		c.reads.chunk, c.reads.wait = c.reads.most, nil
		c.setReadBuffer(fastBuffer)
	}
}

// Send broadcasts the stamp. When ctx ends before the frame is written, nothing
// more can be sent over the connection.
func (c *Conn) Send(ctx context.Context, s Stamp) error {
	return c.write(ctx, ws.NewTextFrame(c.codec.AppendSend(nil, s)))
}

// write masks and writes a frame.
func (c *Conn) write(ctx context.Context, f ws.Frame) error {
	frame, err := ws.CompileFrame(ws.MaskFrameInPlace(f))
	if err != nil {
		return err
	}
	return c.writeFrames(ctx, frame)
}

// writeFrames writes what is masked and compiled.
func (c *Conn) writeFrames(ctx context.Context, frames []byte) error {
	select {
	case c.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.writing }()
	if c.broken.Load() {
		return net.ErrClosed
	}
	stop := context.AfterFunc(ctx, func() { _ = c.sock.SetWriteDeadline(time.Unix(1, 0)) })
	_, err := c.sock.Write(frames)
	if !stop() || err != nil {
		c.broken.Store(true) // by the deadline too, if that came too late for this frame
	}
	return err
}

// pong answers a ping, unless it still answers the one before: that is enough
// (RFC 6455, 5.5.3). It does not wait, so that a server that reads nothing
// before it is read from does not keep the client from reading.
func (c *Conn) pong(payload []byte) {
	if !c.ponging.CompareAndSwap(false, true) {
		return
	}
	frame := ws.NewPongFrame(append([]byte(nil), payload...))
	go func() {
		defer c.ponging.Store(false)
		_ = c.writeControl(frame) // if it fails, so will the reading
	}()
}

func (c *Conn) writeControl(f ws.Frame) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return c.write(ctx, f)
}

// Leave starts the closing handshake, with code 1000, and has Receive end soon
// even if the server does not answer.
func (c *Conn) Leave() {
	_ = c.sock.SetReadDeadline(time.Now().Add(closeTimeout)) // fails on a closed socket alone
	if c.writeClose(ws.StatusNormalClosure) != nil {
		_ = c.sock.SetReadDeadline(time.Now())
	}
}

// Close closes the socket after what ended Receive. It answers a close frame.
func (c *Conn) Close(end error) {
	var closed *CloseError
	if errors.As(end, &closed) {
		_ = c.writeClose(ws.StatusCode(closed.Code)) // the server may have closed the socket already
	}
	c.sock.Close()
}

// writeClose writes a close frame, unless one was written.
func (c *Conn) writeClose(code ws.StatusCode) error {
	if !c.closing.CompareAndSwap(false, true) {
		return nil
	}
	var body []byte
	if code != ws.StatusNoStatusRcvd {
		body = ws.NewCloseFrameBody(code, "")
	}
	return c.writeControl(ws.NewCloseFrame(body))
}

// CloseError is the end of a connection by a close frame of the server's.
type CloseError struct {
	Code   int // 1005 for a frame without one
	Reason string
}

func (e *CloseError) Error() string { return "closed by the server: " + e.Reason }

// parseClose returns a *CloseError.
func parseClose(payload []byte) error {
	code, reason := ws.ParseCloseFrameData(payload)
	if code == 0 {
		code = ws.StatusNoStatusRcvd
	}
	return &CloseError{int(code), reason}
}

// ErrProtocol is a violation of the protocol by the server.
var ErrProtocol = errors.New("protocol error")
