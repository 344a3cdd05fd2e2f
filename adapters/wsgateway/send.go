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

// frameOverhead is what a waiting frame counts for besides its bytes: its slice
// in the outbox.
const frameOverhead = 24

// What is given to the socket at once, besides the first frame: few enough bytes
// that a slow client's progress shows.
const (
	flushFrames = 64
	flushBytes  = 32 << 10
)

// outbox holds the frames that the socket would not take at once, each slice a
// whole message or control frame, the first one perhaps begun.
type outbox struct {
	frames   [][]byte
	size     int
	flushing bool // a flusher runs
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

// next returns the frames to send together.
func (o *outbox) next() [][]byte {
	n, size := 0, 0
	for n < min(len(o.frames), flushFrames) && (n == 0 || size+len(o.frames[n]) <= flushBytes) {
		size += len(o.frames[n])
		n++
	}
	return slices.Clone(o.frames[:n])
}

func (o *outbox) clear() { o.frames, o.size = nil, 0 }

// fits reports whether frame may wait too. One message fits into any buffer.
func (o *outbox) fits(frame []byte, limit int) bool {
	return len(o.frames) == 0 || o.size+len(frame)+frameOverhead <= limit
}

// post sends a message without waiting, behind what waits for the client already.
// It aborts a client for which too much would wait, and then returns ports.ErrGone.
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

// hasRoom says whether API Gateway would take a post now. Unlike this one, it holds
// few for a client that is slow, and leaves it to the caller to try again.
func (c *conn) hasRoom(message []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.fits(message, c.g.cfg.SendBuffer)
}

// reply sends a message to the client whose frame is being handled. It waits for
// room: a client that does not read its replies is not read from. Nothing looks
// at the read deadline meanwhile, so reply sees to the idle time and the
// lifetime; a client that takes nothing is aborted by the flusher.
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

// awaitRoom waits until something has changed, and starts the closing handshake
// when the connection's time is over. The caller holds c.mu.
func (c *conn) awaitRoom() {
	left := time.Until(c.expiry())
	if left <= 0 {
		c.startCloseLocked(goingAway.code, goingAway.reason)
		return
	}
	timer := time.AfterFunc(left, c.notify)
	defer timer.Stop()
	c.changed.Wait()
}

// notify takes the mutex so that it cannot come between the check of a condition
// and the wait for it.
func (c *conn) notify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// pong answers a ping, unless so much waits already that it would be useless.
func (c *conn) pong(payload []byte) {
	frame := ws.MustCompileFrame(ws.NewPongFrame(payload))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && c.outbox.fits(frame, c.g.cfg.SendBuffer) {
		c.enqueue(frame)
	}
}

// enqueue sends the frame at once as far as the socket takes it, and lets a
// flusher send the rest. It returns false when the socket is broken. The caller
// holds c.mu.
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

// flush sends what waits, and ends when nothing does.
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
		case len(c.outbox.frames) > 0: // else aborted meanwhile
			c.outbox.pop(sent)
			c.changed.Broadcast()
		}
		c.mu.Unlock()
	}
}

// firstWaiting returns the frames to send next. When there are none, it returns
// nil and the flusher is over.
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

// write sends the frames. It fails when the client takes nothing at all during
// the write timeout; one that is merely slow may take its time.
func (c *conn) write(frames net.Buffers) error {
	for {
		c.extendWrite(c.g.cfg.WriteTimeout)
		n, err := frames.WriteTo(c.sock)
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// extendWrite gives the flusher, if there is one, so long from now.
func (c *conn) extendWrite(timeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outbox.flushing {
		_ = c.sock.SetWriteDeadline(time.Now().Add(timeout)) // fails on a closed socket, as the write will
	}
}
