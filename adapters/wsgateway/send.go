package wsgateway

import (
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/ports"
)

// frameOverhead is what a waiting frame counts in addition to its bytes: the size of
// its slice in the outbox.
const frameOverhead = 24

// Limits for the frames in one write, except that the first can be longer. They are
// low enough that a slow client's progress is visible.
const (
	flushFrames = 64
	flushBytes  = 32 << 10
)

// outbox holds the frames that the socket did not accept at once. Each slice is a
// whole message or control frame, except that part of the first may have been sent.
type outbox struct {
	frames   [][]byte
	size     int
	flushing bool // a flusher is running
}

func (o *outbox) push(frame []byte) {
	o.frames = append(o.frames, frame)
	o.size += len(frame) + frameOverhead
}

func (o *outbox) pop(n int) {
	for i, frame := range o.frames[:n] {
		o.size -= len(frame) + frameOverhead
		o.frames[i] = nil
	}
	if o.frames = o.frames[n:]; len(o.frames) == 0 {
		o.frames = nil
	}
}

// next returns the frames for the next write.
func (o *outbox) next() [][]byte {
	n, size := 0, 0
	for n < min(len(o.frames), flushFrames) && (n == 0 || size+len(o.frames[n]) <= flushBytes) {
		size += len(o.frames[n])
		n++
	}
	return slices.Clone(o.frames[:n])
}

func (o *outbox) clear() { o.frames, o.size = nil, 0 }

// fits reports whether there is room for the frame. An empty outbox fits any.
func (o *outbox) fits(frame []byte, limit int) bool {
	return len(o.frames) == 0 || o.size+len(frame)+frameOverhead <= limit
}

// post sends a message without waiting, after what already waits for the client. If
// it does not fit the backlog, post aborts the client and returns ports.ErrGone.
func (c *conn) post(message []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ports.ErrGone
	}
	if !c.outbox.fits(message, c.g.cfg.Backlog) {
		c.abortLocked(tooSlow)
		return ports.ErrGone
	}
	if !c.enqueue(message) {
		return ports.ErrGone
	}
	c.touch()
	return nil
}

// hasRoom reports whether API Gateway would accept a post now. Unlike this gateway, it
// holds few posts for a slow client and leaves it to the caller to retry.
func (c *conn) hasRoom(message []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.fits(message, c.g.cfg.SendBuffer)
}

// reply sends a message to the client whose frame is being handled. It waits for
// room, so that nothing is read from a client that does not read its replies.
// Meanwhile reply itself enforces the idle timeout and the lifetime, since nothing
// checks the read deadline. The flusher aborts a client that takes nothing.
func (c *conn) reply(message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closing && !c.outbox.fits(message, c.g.cfg.SendBuffer) {
		c.awaitRoom()
	}
	if !c.closing {
		c.enqueue(message)
		c.touch()
	}
}

// awaitRoom waits for a change, or starts the closing handshake if the connection has
// expired. The caller holds c.mu.
func (c *conn) awaitRoom() {
	left := time.Until(c.expiry())
	if left <= 0 {
		c.closeExpired()
		return
	}
	timer := time.AfterFunc(left, c.notify)
	defer timer.Stop()
	c.changed.Wait()
}

// notify wakes those that wait for a change. It takes the mutex so that it cannot run
// between a waiter's check and its wait.
func (c *conn) notify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// pong answers a ping, unless there is no room: then the answer would be useless.
func (c *conn) pong(payload []byte) {
	frame := ws.MustCompileFrame(ws.NewPongFrame(payload))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && c.outbox.fits(frame, c.g.cfg.SendBuffer) {
		c.enqueue(frame)
	}
}

// enqueue sends as much of the frame as the socket accepts at once, and leaves the
// rest to a flusher. It returns false if the socket is broken. The caller holds c.mu.
func (c *conn) enqueue(frame []byte) bool {
	if !c.outbox.flushing {
		n, err := c.tryWrite(frame)
		if err != nil {
			c.abortLocked(lost)
			return false
		}
		if n == len(frame) {
			return true
		}
		frame = frame[n:]
		c.outbox.flushing = true
		c.g.behind.Add(1)
		c.g.running.Go(c.flush)
	}
	c.outbox.push(frame)
	return true
}

// flush sends frames until none are waiting.
func (c *conn) flush() {
	for {
		frames := c.firstWaiting()
		if frames == nil {
			return
		}
		sent := len(frames)
		err := c.write(frames)
		c.mu.Lock()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.abortLocked(stalled)
		case err != nil:
			c.abortLocked(lost)
		case len(c.outbox.frames) > 0: // otherwise the connection was aborted
			c.outbox.pop(sent)
			c.changed.Broadcast()
		}
		c.mu.Unlock()
	}
}

// firstWaiting returns the frames to send next. If there are none, it returns nil and
// the flusher has ended.
func (c *conn) firstWaiting() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.outbox.frames) > 0 {
		return c.outbox.next()
	}
	c.outbox.flushing = false
	c.g.behind.Add(-1)
	c.changed.Broadcast()
	_ = c.sock.SetWriteDeadline(time.Time{}) // fails on a closed socket, as the next write will
	if c.closing {
		c.awaitPeer()
	}
	return nil
}

// write sends the frames. It fails if the client takes nothing at all during the write
// timeout. A client that is merely slow can take longer.
func (c *conn) write(frames net.Buffers) error {
	for {
		c.extendWrite(c.g.cfg.WriteTimeout)
		n, err := writeTo(c.sock, &frames)
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// writeTo is net.Buffers.WriteTo, which writes one by one to a type that it does not know.
func writeTo(sock net.Conn, frames *net.Buffers) (int64, error) {
	if own, ok := sock.(interface {
		writeBuffers(*net.Buffers) (int64, error)
	}); ok {
		return own.writeBuffers(frames)
	}
	return frames.WriteTo(sock)
}

// extendWrite moves the flusher's deadline, if there is one, to timeout from now.
func (c *conn) extendWrite(timeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outbox.flushing {
		_ = c.sock.SetWriteDeadline(time.Now().Add(timeout)) // fails on a closed socket, as the write will
	}
}
