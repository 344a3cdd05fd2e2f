package wsgateway

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Frames that do nothing for anybody: pings, parts of messages, messages that are
// refused. A client may send so many a second after so many at once, and is read
// from more slowly beyond that.
const (
	idleFrames      = 50
	idleFramesBurst = 500
)

// countIdle counts a frame that does nothing for anybody. It is called with a
// turn, and waits without one for a client that sends too many.
func (c *conn) countIdle() {
	if c.idleFrames == nil { // a client that only listens has none
		c.idleFrames = rate.NewLimiter(idleFrames, idleFramesBurst)
	}
	if wait := c.idleFrames.ReserveN(time.Now(), 1).Delay(); wait > 0 {
		c.waitOpen(wait)
	}
}

// window is what a client may still send before others had their turn.
type window struct {
	used   int
	opened time.Time
	next   <-chan struct{} // closed when it is over; nil before the first message
}

const (
	// leastWindow is what a message counts at least, in bytes.
	leastWindow = 256
	// floodTime is in how short a time a client must use up a window to flood.
	floodTime = 2 * time.Second
	// floodRest is how many times as long as it takes to deliver the messages of one
	// window clients that flood, all together, wait before the next of theirs. Few of
	// the broadcasts of others meet one of theirs then.
	floodRest = 100
	// maxFloodRest is the longest they wait.
	maxFloodRest = 10 * time.Second
)

// enterWindow counts a message that is about to be handled, and waits if the
// window is used up. It is called with a turn, and waits without one.
func (c *conn) enterWindow(size int) {
	if c.g.cfg.NextWindow == nil {
		return
	}
	now := time.Now()
	alone := c.g.senders.alone(c, now)
	if c.window.used >= c.g.cfg.Window {
		c.awaitWindow(now, alone)
		c.window = window{}
	}
	if c.window.next == nil {
		c.window.opened, c.window.next = time.Now(), c.g.cfg.NextWindow()
	}
	c.window.used += max(leastWindow, size)
}

// awaitWindow waits until the messages of the window are delivered. A client that
// floods while others send has to wait longer.
func (c *conn) awaitWindow(now time.Time, alone bool) {
	floods := now.Sub(c.window.opened) < floodTime
	for !c.delivered() && c.open() && time.Since(now) < maxFloodRest {
		c.waitOpen(windowPoll)
	}
	if floods && !alone {
		took := time.Since(c.window.opened)
		c.g.turns.leave()
		c.g.floods.enter()
		c.g.turns.enter()
		c.waitOpen(min(floodRest*took, maxFloodRest))
		c.g.floods.leave()
	}
}

// windowPoll is how often a client that has used up its window looks for the next.
const windowPoll = 2 * time.Millisecond

// delivered says whether the window's messages have left for the clients, and
// most of these have taken what was sent to them.
func (c *conn) delivered() bool {
	select {
	case <-c.window.next:
		return int(c.g.behind.Load()) <= c.g.count()/2
	default:
		return false
	}
}

// waitOpen waits for d without the turn that it is called with, or until the
// connection closes. The timer says under the lock that it is over: were that left
// to the clock, a timer that fires a little early would wake nobody again.
func (c *conn) waitOpen(d time.Duration) {
	c.g.turns.leave()
	defer c.g.turns.enter()
	over := false
	timer := time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		over = true
		c.changed.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closing && !over {
		c.changed.Wait()
	}
}

// senders knows who sent lately, as far as it matters: whether that was more than
// one.
type senders struct {
	last  atomic.Pointer[conn]
	other atomic.Int64 // when one sent after another, in nanoseconds since Gateway.start; 0 for never
}

// alone notes that the connection sends, and says whether nobody else did lately.
func (s *senders) alone(c *conn, now time.Time) bool {
	at := int64(now.Sub(c.g.start))
	if before := s.last.Swap(c); before != c && before != nil {
		s.other.Store(at)
	}
	other := s.other.Load()
	return other == 0 || at-other > int64(floodTime)
}
