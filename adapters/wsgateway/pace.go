package wsgateway

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Idle frames are those that achieve nothing by themselves: control frames, message
// fragments and messages that are refused. A client can send a burst of them and then
// a steady number per second. Beyond that, it is read from more slowly.
const (
	idleFrames      = 50
	idleFramesBurst = 500
)

// countIdle counts an idle frame, and waits if the client sends too many. The caller
// holds a turn, which countIdle gives up while it waits.
func (c *conn) countIdle() {
	if c.idleFrames == nil { // a client that only listens needs none
		c.idleFrames = rate.NewLimiter(idleFrames, idleFramesBurst)
	}
	if wait := c.idleFrames.ReserveN(time.Now(), 1).Delay(); wait > 0 {
		c.waitOpen(wait)
	}
}

// window is how much a client has sent since it last had to wait for delivery.
type window struct {
	used   int
	opened time.Time
	next   <-chan struct{} // closed when the window ends; nil before its first message
}

const (
	// leastWindow is the minimum that a message counts, in bytes.
	leastWindow = 256
	// floodTime is the time below which using up a window counts as flooding.
	floodTime = 2 * time.Second
	// floodRest times as long as they had to wait for the delivery of a window is how
	// long flooding clients, all together, wait before their next one. So few broadcasts
	// of others coincide with theirs. A client that sends steadily does not have to wait
	// for a delivery.
	floodRest = 300
	// maxFloodRest is the longest that they wait.
	maxFloodRest = time.Minute
	// maxDelivery is how long a client waits for its window to be delivered. Clients
	// that read slowly must not keep others from sending for longer.
	maxDelivery = 10 * time.Second
)

// enterWindow counts a message that is about to be handled, and waits if the window is
// used up. The caller holds a turn, which enterWindow gives up while it waits.
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

// awaitWindow waits until the window's messages are delivered. A client that floods
// while others send waits longer.
func (c *conn) awaitWindow(now time.Time, alone bool) {
	floods := now.Sub(c.window.opened) < floodTime
	for !c.delivered() && c.open() && time.Since(now) < maxDelivery {
		c.waitOpen(windowPoll)
	}
	if took := time.Since(now); floods && !alone && c.enterFloods() {
		c.waitOpen(min(floodRest*took, maxFloodRest))
		c.g.floods.leave()
	}
}

// enterFloods waits for the connection's turn among those that flood. It reports false if
// the connection closes first. The caller holds a turn, which enterFloods gives up while it
// waits.
func (c *conn) enterFloods() bool {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return false
	}
	ending := make(chan struct{})
	c.ending = ending
	c.mu.Unlock()
	c.g.turns.leave()
	defer c.g.turns.enter()
	select {
	case c.g.floods <- struct{}{}:
		return true
	case <-ending:
		return false
	}
}

// windowPoll is how often awaitWindow checks whether the window is delivered.
const windowPoll = 2 * time.Millisecond

// delivered reports whether the window's messages have been posted, and frames wait
// for no more than half of the clients.
func (c *conn) delivered() bool {
	select {
	case <-c.window.next:
		return int(c.g.behind.Load()) <= c.g.count()/2
	default:
		return false
	}
}

// waitOpen waits for d, or until the connection closes. The caller holds a turn, which
// waitOpen gives up while it waits. The timer sets over under the lock. If the loop
// checked the clock instead, a timer that fires slightly early would leave it waiting
// forever.
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

// senders tracks whether more than one client has sent lately.
type senders struct {
	last  atomic.Pointer[conn]
	other atomic.Int64 // when the sender last changed, in nanoseconds since Gateway.start; 0 for never
}

// alone records that the connection sends, and reports whether no other has lately.
func (s *senders) alone(c *conn, now time.Time) bool {
	at := int64(now.Sub(c.g.start))
	if before := s.last.Swap(c); before != c && before != nil {
		s.other.Store(at)
	}
	other := s.other.Load()
	return other == 0 || at-other > int64(floodTime)
}
