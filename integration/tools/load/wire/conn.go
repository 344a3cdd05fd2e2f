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

// closeTimeout is how long the server can take to answer a close frame.
const closeTimeout = 2 * time.Second

// Conn is a connection to the service. Only one goroutine may call Receive; any can call
// the other methods.
type Conn struct {
	sock  socket
	codec *Codec
	clock Clock
	reads reads
	poll  func(handle func(*Batch)) error // reads instead of Receive; nil for none
	reading

	follows bool   // see Follow
	early   []byte // arrived right after the handshake
	partial []byte // the beginning of a header or a control frame

	writing chan struct{} // full while a frame is being written
	broken  atomic.Bool   // a frame was partly written: no other can follow
	ponging atomic.Bool
	closing atomic.Bool
}

// socket is what a connection needs of a net.Conn besides reading.
type socket interface {
	io.WriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// NewConn returns the connection over a socket after the handshake. early is what the
// server sent right after it.
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

// Throttle makes the connection a slow reader: it reads at most chunk bytes at a time,
// with a small operating system buffer so that the server notices, and calls wait after
// each read with the number of bytes read. Once wait returns false, the connection reads
// at full speed. Call it before Receive.
func (c *Conn) Throttle(chunk int, wait func(bytes int) (slow bool)) {
	c.reads.chunk, c.reads.wait = min(chunk, c.reads.most), wait
	c.setReadBuffer(slowBuffer)
}

// Operating system buffers for slow readers, and for former slow readers, in bytes.
const (
	slowBuffer = 8 << 10
	fastBuffer = 256 << 10
)

func (c *Conn) setReadBuffer(bytes int) {
	if tcp, ok := c.sock.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(bytes) // fails on a closed socket, as the reading will
	}
}

// pause makes a slow reader wait.
func (c *Conn) pause(bytes int) {
	if c.reads.wait != nil && !c.reads.wait(bytes) {
		c.reads.chunk, c.reads.wait = c.reads.most, nil
		c.setReadBuffer(fastBuffer)
	}
}

// Send broadcasts the stamp. If ctx ends before the frame is written, nothing more can be
// sent over the connection.
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

// writeFrames writes masked and compiled frames.
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
		c.broken.Store(true) // also by the deadline, if that came too late for this frame
	}
	return err
}

// pong answers a ping, unless it is still answering the previous one: that is enough (RFC
// 6455, 5.5.3). It does not wait, so that a server that only reads after the client has
// read cannot stop the client from reading.
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

// Leave starts the closing handshake with code 1000, and makes Receive end soon even if
// the server does not answer.
func (c *Conn) Leave() {
	_ = c.sock.SetReadDeadline(time.Now().Add(closeTimeout)) // only fails on a closed socket
	if c.writeClose(ws.StatusNormalClosure) != nil {
		c.Cut()
	}
}

// Cut makes Receive end at once, without the closing handshake.
func (c *Conn) Cut() { _ = c.sock.SetReadDeadline(time.Now()) } // only fails on a closed socket

// Close closes the socket after Receive has ended. It answers a close frame.
func (c *Conn) Close(end error) {
	var closed *CloseError
	if errors.As(end, &closed) {
		_ = c.writeClose(ws.StatusCode(closed.Code)) // the server may have closed the socket already
	}
	c.sock.Close()
}

// writeClose writes a close frame, unless one has been written.
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

// CloseError is the end of a connection by the server's close frame.
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
