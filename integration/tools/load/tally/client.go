package tally

import (
	"math"
	"sort"

	"serverless-websocket/integration/tools/load/wire"
)

// Client is one client of the service, through all its connections.
type Client struct {
	t     *Tally
	shard *shard
	slow  bool

	// The shard guards the following.
	current *Session
	since   int64 // when the first connection opened; never before that
	settled set   // what the client got, or lost, on its earlier connections
	ended   []ending
}

// ending is how a connection ended that was open from a moment on.
type ending struct {
	open int64
	cut  bool // not by the client
}

// Session is one connection of a client.
type Session struct {
	client  *Client
	open    int64
	seen    set
	highest []int32 // number received from each sender
}

// NewClient adds a client. The latencies of slow ones are kept apart.
func (t *Tally) NewClient(slow bool) *Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &Client{t: t, shard: t.shards[len(t.clients)%len(t.shards)], slow: slow, since: never}
	t.clients = append(t.clients, c)
	return c
}

// Open records that a connection of the client is open. The previous one must have ended.
func (c *Client) Open(at int64) *Session {
	first := c.t.ledger.firstUnsent()
	s := &Session{client: c, open: at, seen: newSet(first), highest: make([]int32, c.t.senders)}
	for i := range s.highest {
		s.highest[i] = never
	}
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if c.shard.closed {
		return s
	}
	if c.since == never {
		c.since, c.settled = at, newSet(first)
	} else {
		c.shard.counts.Reconnects++
	}
	c.shard.connected++
	c.current = s
	return s
}

// Deliver records what the connection has received.
func (s *Session) Deliver(b *wire.Batch) {
	h := s.client.shard
	known := int(s.client.t.ledger.scheduled.Load())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.counts.add(b)
	for _, stamp := range b.Stamps {
		if s.isNew(stamp, known) {
			h.delivered(b.At, stamp, s.client.slow)
		}
	}
}

// isNew counts a broadcast that should not have come, or comes late. The shard is locked.
func (s *Session) isNew(stamp wire.Stamp, known int) bool {
	switch counts := &s.client.shard.counts; {
	case stamp.N >= known:
		counts.Damaged++
	case !s.seen.add(stamp.N):
		counts.Duplicated++
	default:
		s.order(stamp)
		return true
	}
	return false
}

// order counts a broadcast that arrives after a later one from the same sender, unless it
// was sent before the connection was open: the service may have found that about to open,
// and have tried again later.
func (s *Session) order(stamp wire.Stamp) {
	highest := &s.highest[stamp.N%len(s.highest)]
	switch {
	case int32(stamp.N) >= *highest:
		*highest = int32(stamp.N)
	case stamp.Sent >= s.open:
		s.client.shard.counts.OutOfOrder++
	}
}

// Left records that the client ended the connection of its own accord at that moment.
// Broadcasts accepted at least the grace period before should have arrived.
func (s *Session) Left(at int64) { s.end(at-s.client.t.grace, false) }

// Cut records that the connection ended against the client's will. Broadcasts that did
// not arrive are not lost but missed because of the cut.
func (s *Session) Cut() { s.end(math.MinInt64, true) }

// end settles what was owed to the connection: broadcasts sent since it opened and
// accepted by then.
func (s *Session) end(acceptedBy int64, cut bool) {
	c := s.client
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if c.shard.closed {
		return
	}
	c.shard.connected--
	c.settle(acceptedBy)
	c.ended = append(c.ended, ending{s.open, cut})
	c.current = nil
}

// settle counts what the current connection lost.
func (c *Client) settle(acceptedBy int64) {
	s := c.current
	c.settled.union(&s.seen)
	c.t.ledger.owed(&s.seen, s.open, acceptedBy, func(n int, _ int64) {
		c.shard.counts.Lost++
		c.settled.add(n)
	})
}

// missing is how many of the broadcasts accepted so far are still owed to the
// open connection, if there is one.
func (c *Client) missing() (n int) {
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	if c.current != nil {
		c.t.ledger.owed(&c.current.seen, c.current.open, math.MaxInt64, func(int, int64) { n++ })
	}
	return n
}

// close settles everything. The shard is locked.
func (c *Client) close() {
	if c.current != nil {
		c.settle(math.MaxInt64)
	}
	if c.since != never {
		c.t.ledger.owed(&c.settled, c.since, math.MaxInt64, func(_ int, sent int64) { c.missed(sent) })
	}
}

// missed counts a broadcast that arrived on no connection, by how the last connection
// that was open before the sending ended.
func (c *Client) missed(sent int64) {
	next := sort.Search(len(c.ended), func(i int) bool { return c.ended[i].open > sent })
	if c.ended[next-1].cut {
		c.shard.counts.MissedCut++
	} else {
		c.shard.counts.MissedAway++
	}
}
