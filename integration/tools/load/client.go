package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"serverless-websocket/integration/tools/load/tally"
	"serverless-websocket/integration/tools/load/wire"
)

const (
	// firstRetry and lastRetry are how long a client waits before it tries again
	// to reconnect, doubling in between.
	firstRetry = time.Second
	lastRetry  = 15 * time.Second
	// slowReads is how many reads a second a slow reader makes; least and most limit how
	// much it reads at once.
	slowReads             = 4
	leastChunk, mostChunk = 64, 16 << 10
)

// client is one client, through all its connections.
type client struct {
	run      *loadRun
	account  *tally.Client
	behavior behavior
	sender   *sender   // nil for those that only listen
	follower *follower // nil for those that do not resume
}

// connection is an open connection with its accounting.
type connection struct {
	conn    *wire.Conn
	session session
}

// session is the account of a connection: a *tally.Session, or a *follower for all its
// connections.
type session interface {
	Deliver(*wire.Batch)
	Left(at int64)
	Cut()
}

// open connects. The caller counts failures.
func (c *client) open(ctx context.Context) (*connection, error) {
	conn, err := c.run.dial(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case c.behavior.speed > 0:
		conn.Throttle(min(max(c.behavior.speed/slowReads, leastChunk), mostChunk), c.rest)
	case c.sender == nil:
		c.run.poller.Adopt(conn)
	}
	current := &connection{conn, c.begin(conn)}
	if c.sender != nil {
		c.sender.link.set(conn)
	}
	return current, nil
}

// begin begins the account of a connection.
func (c *client) begin(conn *wire.Conn) session {
	if c.follower == nil {
		return c.account.Open(c.run.clock.Now())
	}
	c.follower.connected(conn)
	return c.follower
}

// rest makes a slow reader wait after a read, until slowness is no longer needed.
func (c *client) rest(bytes int) (slow bool) {
	return sleep(c.run.slowly, time.Duration(bytes)*time.Second/time.Duration(c.behavior.speed))
}

// live uses the connection until it ends, then reconnects, until ctx ends.
func (c *client) live(ctx context.Context, current *connection) {
	for current != nil {
		away := c.use(ctx, current)
		current = c.comeBack(ctx, away)
	}
}

// use reads until the connection ends, for whatever reason, and returns how long
// the client stays away. Only the client itself ends it with ctx.
func (c *client) use(ctx context.Context, current *connection) (away time.Duration) {
	staying, cancel := c.stay(ctx)
	defer cancel()
	var left atomic.Int64 // when
	stop := context.AfterFunc(staying, func() {
		left.Store(c.run.clock.Now())
		if c.follower != nil && ctx.Err() == nil {
			current.conn.Cut()
		} else {
			current.conn.Leave()
		}
	})
	session := current.session
	end := current.conn.Receive(func(b *wire.Batch) { c.take(session, b) })
	if c.sender != nil {
		c.sender.disconnected()
	}
	if stop() {
		session.Cut()
		c.run.events.closed(end, c.behavior.speed > 0)
	} else {
		session.Left(left.Load())
		away = about(c.behavior.away)
	}
	current.conn.Close(end)
	return away
}

// stay ends when the client leaves of its own accord, or is cut.
func (c *client) stay(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.follower != nil {
		return c.follower.stay(ctx)
	}
	if c.behavior.stay == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, about(c.behavior.stay))
}

// about is within half of d.
func about(d time.Duration) time.Duration {
	return d/2 + time.Duration(rand.Int64N(int64(d)+1))
}

func (c *client) take(s session, b *wire.Batch) {
	s.Deliver(b)
	if c.sender != nil {
		for _, r := range b.Replies {
			c.sender.replied(r, b.At)
		}
		c.sender.echoed(b)
	} else if c.follower != nil {
		c.follower.failed(b.Replies)
	}
}

// comeBack reconnects after the pause, retrying as often as necessary. It returns nil
// when ctx has ended.
func (c *client) comeBack(ctx context.Context, pause time.Duration) *connection {
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		if !sleep(ctx, pause) || c.run.pace.Wait(ctx) != nil {
			return nil
		}
		current, err := c.open(ctx)
		if err == nil {
			return current
		}
		if ctx.Err() != nil {
			return nil
		}
		c.run.events.refusedAgain(err)
		pause = about(retry)
	}
}
