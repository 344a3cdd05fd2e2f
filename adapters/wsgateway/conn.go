package wsgateway

import (
	"bytes"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/time/rate"

	"serverless-websocket/domain"
)

// conn is one connection. A goroutine runs serve while there is something to
// read. Between messages the connection is parked and needs no goroutine. Another
// goroutine runs flush while frames wait for the client. It has 480 bytes, a size that
// the allocator has; one above 512 bytes costs more.
type conn struct {
	// The fields that a post needs are adjacent: with thousands of connections, none
	// of them is still in the CPU cache at the next post.
	mu         sync.Mutex
	closing    bool // no more posts: a close frame is on its way or the socket is closed
	descriptor int  // of sock, for tryWrite; or noDescriptor
	outbox     outbox
	lastActive atomic.Int64 // nanoseconds since Gateway.start
	g          *Gateway

	sock    net.Conn
	end     disconnection // why, once closing
	readBy  time.Time     // the socket's read deadline; zero for none
	closeBy time.Time     // the latest read deadline while the client closes
	changed sync.Cond     // a frame left the outbox, the flusher ended, a message was answered or closing was set
	ending  chan struct{} // closed with closing set; nil unless someone waits for that
	expires *time.Timer   // closes a parked connection that has expired; nil until first parked
	expired bool          // the timer has fired and has not been reset
	parked  bool          // no goroutine runs serve
	slow    bool          // aborted because the client reads too slowly
	byToken bool          // until is when its authorization ends; guarded by mu

	idleFrames *rate.Limiter // nil before the first
	window     window
	unanswered []func() (refused bool) // messages that only wait, see answerLater; guarded by mu
	refused    int                     // of them, and not counted yet; guarded by mu

	id          domain.ConnectionID
	domainName  string
	sourceIP    string
	userAgent   string
	connectedAt time.Time
	until       time.Time // when it ends in any case; guarded by mu
	authorizer  any       // what it said of the connection; nil without one
	early       []byte    // received together with the handshake
}

// closePatience times CloseTimeout is how long a client that is still sending may
// take to close.
const closePatience = 3

// disconnection is the code and reason that $disconnect gets.
type disconnection struct {
	code   ws.StatusCode
	reason string
}

// The ends of a connection that gets no close frame. The client sees 1006 for all
// of them, a code that means exactly this and is never sent (RFC 6455, 7.4.1).
// The 1008 of an aborted client is for the operator: it shows that the gateway
// ended the connection, not the network.
var (
	lost    = disconnection{ws.StatusAbnormalClosure, "Connection lost without a close frame"}
	stalled = disconnection{ws.StatusPolicyViolation, "Client does not read"}
	tooSlow = disconnection{ws.StatusPolicyViolation, "Client reads too slowly"}
)

var (
	// signedOut ends a connection whose authorization has expired.
	signedOut = disconnection{ws.StatusNormalClosure, "Authorization expired"}
	// goingAway ends a connection that has expired, or that is open when the gateway
	// stops.
	goingAway = disconnection{ws.StatusGoingAway, "Going away"}
	// unfinished ends a connection whose client takes too long to finish a message.
	unfinished = disconnection{ws.StatusPolicyViolation, "Message takes too long"}
	// evicted ends a connection when unfinished messages take too much memory.
	evicted = disconnection{1013, "Too many unfinished messages"}
)

// kernelBuffer is the size of the operating system's send buffer in bytes; Linux
// doubles it for its own needs. Linux reports a socket writable again only after
// about a third of the buffer has drained. Left alone, the buffer grows to
// megabytes, and a client that reads steadily but slowly would seem to take nothing
// for longer than the write timeout. The limit also bounds what one client costs.
const kernelBuffer = 128 << 10

// probeAfter is how long a connection is silent before the operating system probes
// the other host. Each probe wakes a phone.
const (
	probeAfter = 5 * time.Minute
	probes     = 3 // unanswered probes that end the connection
)

// newConn returns a connection that is not open yet. It does not retain the
// request's memory.
func (g *Gateway) newConn(r *request, sock net.Conn) *conn {
	c := &conn{
		g:           g,
		sock:        sock,
		descriptor:  noDescriptor,
		id:          domain.ConnectionID(newShortID()),
		domainName:  strings.Clone(r.host),
		sourceIP:    sourceIP(sock.RemoteAddr()),
		connectedAt: time.Now(),
	}
	c.until = c.lifetime()
	agent, _ := r.value("User-Agent")
	c.userAgent = strings.Clone(agent)
	c.changed.L = &c.mu
	return c
}

// inherits says whether a socket inherits its listener's send buffer size.
const inherits = runtime.GOOS == "linux"

// attach prepares the socket for frames. early holds what was received after the
// handshake. The caller holds c.mu.
func (c *conn) attach(early []byte) {
	c.descriptor = descriptorOf(c.sock)
	if tcp, ok := c.sock.(*net.TCPConn); ok && !inherits {
		_ = tcp.SetWriteBuffer(kernelBuffer) // fails on a closed socket, as the first write will
	}
	c.early = bytes.Clone(early)
	c.touch()
	_ = c.sock.SetWriteDeadline(time.Time{}) // fails on a closed socket, as the first write will
	c.setReadBy(c.expiry())
}

// serve reads until the connection is parked, or until it has ended and $disconnect
// has returned.
func (c *conn) serve() {
	r := readers.Get().(*frameReader)
	r.reset(c)
	ended := c.serveFrom(r)
	r.release()
	if ended {
		c.teardown()
	}
}

// serveFrom handles what the client sends, and reports whether the connection has
// ended; otherwise it is parked.
func (c *conn) serveFrom(r *frameReader) (ended bool) {
	c.g.turns.enter()
	defer c.g.turns.leave()
	for c.open() {
		message, err := r.next()
		switch {
		case message != nil:
			c.handle(message)
		case err != nil && !c.endWith(err):
			return true
		}
		if r.between() && c.park() {
			return false
		}
		c.g.turns.pass()
	}
	r.awaitClose()
	return true
}

// endWith closes the connection for a read error, after the replies to what the client sent
// before. It reports whether the client's close frame is still to come. The caller holds a
// turn, which endWith gives up while it waits.
func (c *conn) endWith(err error) bool {
	if c.open() {
		c.g.turns.leave()
		c.awaitAnswers()
		c.g.turns.enter()
	}
	switch err := err.(type) {
	case violation:
		c.startClose(err.code, err.reason)
		return true
	case closeFrame:
		c.startClose(err.code, err.reason)
	}
	return false
}

// teardown releases the connection, whatever state it is in, and invokes
// $disconnect. By then, posts already return ports.ErrGone.
func (c *conn) teardown() {
	c.mu.Lock()
	if !c.closing {
		c.abortLocked(lost)
	}
	c.g.remove(c)
	for c.outbox.flushing {
		c.changed.Wait()
	}
	c.closeSocket()
	if c.expires != nil {
		c.expires.Stop()
	}
	c.mu.Unlock()
	c.g.release()
	c.disconnect()
	c.g.running.Done()
}

func (c *conn) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closing
}

// startClose starts the closing handshake: what waits for the client is still sent,
// followed by a close frame, and posts return ports.ErrGone from now on. Only the
// first reason to close a connection counts.
func (c *conn) startClose(code ws.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startCloseLocked(code, reason)
}

func (c *conn) startCloseLocked(code ws.StatusCode, reason string) {
	if c.closing {
		return
	}
	c.setClosing(disconnection{code, reason})
	c.enqueue(encodeClose(code, reason))
	c.changed.Broadcast() // a reply that waits for room gives up
	c.wakeLocked()        // to read the client's close frame
	if c.outbox.flushing {
		c.setReadBy(time.Time{}) // the flusher sets it when the close frame is out
	} else {
		c.awaitPeer()
	}
}

// setClosing notes why the connection closes. The caller holds c.mu.
func (c *conn) setClosing(end disconnection) {
	c.closing, c.end = true, end
	if c.ending != nil {
		close(c.ending)
	}
}

// abort closes the socket at once and discards what waits for the client. If the
// connection is closing already, the first reason still counts.
func (c *conn) abort(end disconnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abortLocked(end)
}

func (c *conn) abortLocked(end disconnection) {
	if !c.closing {
		c.setClosing(end)
	}
	if end == stalled || end == tooSlow {
		c.slow = true
	}
	c.outbox.clear()
	c.changed.Broadcast()
	c.closeSocket()
	c.wakeLocked() // to end
}

// closeSocket makes the reader and the flusher end, if they are running. The caller
// holds c.mu.
func (c *conn) closeSocket() {
	c.g.poller.forget(c)
	c.descriptor = noDescriptor // another socket can get it from now on
	c.sock.Close()
}

// touch records that a frame was sent or received.
func (c *conn) touch() { c.lastActive.Store(int64(time.Since(c.g.start))) }

// lifetime returns when the connection's lifetime ends.
func (c *conn) lifetime() time.Time { return c.connectedAt.Add(c.g.cfg.Lifetime) }

func (c *conn) lastActiveAt() time.Time {
	return c.g.start.Add(time.Duration(c.lastActive.Load()))
}

// expiry returns when the connection's idle timeout or lifetime ends.
func (c *conn) expiry() time.Time {
	idle := c.lastActiveAt().Add(c.g.cfg.IdleTimeout)
	if c.until.Before(idle) {
		return c.until
	}
	return idle
}

// closeExpired starts the closing handshake of a connection that has expired. The caller
// holds c.mu.
func (c *conn) closeExpired() {
	end := goingAway
	if c.byToken && !time.Now().Before(c.until) {
		end = signedOut
	}
	c.startCloseLocked(end.code, end.reason)
}

// awaitPeer gives the client CloseTimeout to answer the close frame. The caller
// holds c.mu.
func (c *conn) awaitPeer() {
	c.closeBy = time.Now().Add(closePatience * c.g.cfg.CloseTimeout)
	c.setReadBy(time.Now().Add(c.g.cfg.CloseTimeout))
}

// stillSending extends the time to close for a client that is still sending.
// Closing the socket now would reset it, and the client would lose what it has
// received but not read.
func (c *conn) stillSending() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.readBy.IsZero() { // the flusher sets it when the close frame is out
		return
	}
	by := time.Now().Add(c.g.cfg.CloseTimeout)
	if by.After(c.closeBy) {
		by = c.closeBy
	}
	c.setReadBy(by)
}

func (c *conn) setReadBy(t time.Time) {
	c.readBy = t
	_ = c.sock.SetReadDeadline(t) // fails on a closed socket, as the read will
}

// hasten brings the read deadline forward to t, unless t is zero.
func (c *conn) hasten(t time.Time) {
	if t.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && t.Before(c.readBy) {
		c.setReadBy(t)
	}
}

// overdue is called when the read deadline has passed. It reports whether to stop
// reading; if not, there is a new deadline. This costs a busy connection nothing,
// and needs no timer. A message that has begun has to be complete by completeBy.
func (c *conn) overdue(completeBy time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch expiry := c.expiry(); {
	case c.readBy.IsZero() || now.Before(c.readBy):
		return false // the deadline has moved
	case c.closing:
		return true
	case !completeBy.IsZero() && !now.Before(completeBy):
		c.startCloseLocked(unfinished.code, unfinished.reason)
		return true
	case now.Before(expiry):
		c.setReadBy(expiry)
		return false
	}
	c.closeExpired()
	return false
}
