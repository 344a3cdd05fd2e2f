package wsgateway

import "time"

// park leaves the connection to the poller until there is something to read, and
// reports whether it could: then the caller's goroutine has to end.
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

// wakeBy sets the timer that ends a connection in time. It is not stopped when
// the connection is woken for something else: most are parked again before it
// fires. The caller holds c.mu.
func (c *conn) wakeBy(t time.Time) {
	if c.expires == nil {
		c.expires = time.AfterFunc(time.Until(t), c.expire)
	} else if c.expired {
		c.expired = false
		c.expires.Reset(time.Until(t))
	}
}

// expire closes a parked connection whose idle time or lifetime is over.
func (c *conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expired = true
	if !c.parked {
		return // park sets the timer again
	}
	if t := c.expiry(); time.Now().Before(t) {
		c.wakeBy(t)
		return
	}
	c.startCloseLocked(goingAway.code, goingAway.reason)
}

// wake starts to read from a parked connection.
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
