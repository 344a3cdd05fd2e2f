package wsgateway

import "time"

// park hands the connection to the poller until there is something to read. If it
// returns true, the caller's goroutine has to end.
func (c *conn) park() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.descriptor == noDescriptor || len(c.early) > 0 {
		return false
	}
	c.parked = c.g.poller.watch(c)
	if c.parked {
		c.wakeBy(c.expiry())
	}
	return c.parked
}

// wakeBy sets the timer that closes the connection when it expires. The timer keeps
// running when the connection is woken for another reason: most connections are
// parked again before it fires. The caller holds c.mu.
func (c *conn) wakeBy(t time.Time) {
	if c.expires == nil {
		c.expires = time.AfterFunc(time.Until(t), c.expire)
	} else if c.expired {
		c.expired = false
		c.expires.Reset(time.Until(t))
	}
}

// expire closes a parked connection whose idle timeout or lifetime has ended.
func (c *conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expired = true
	if !c.parked {
		return // park resets the timer
	}
	if t := c.expiry(); time.Now().Before(t) {
		c.wakeBy(t)
		return
	}
	c.closeExpired()
}

// wake starts reading from a parked connection.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLocked()
}

func (c *conn) wakeLocked() {
	if c.parked {
		c.parked = false
		c.g.goroutines.run(c.serve)
	}
}
