// Package tally keeps account of the broadcasts of a run: how each fared on its way to
// the server, and on which connections it arrived.
//
// A broadcast that was accepted is owed to every connection that was open before it was
// sent and stays open until the tally is closed. A broadcast that is owed and has not
// arrived by then is lost. If a client leaves of its own accord, broadcasts accepted at
// least the grace period before are owed to that connection too, and lost if they have
// not arrived. If the server or the network ends a connection, nothing is lost:
// broadcasts that the client got on no connection since its first one opened are missed.
// They are missed because of the cut if the last connection open before the sending was
// cut, and while away if the client had left that one.
//
// A client that resumes has one session, from when it knows its first position, whatever
// happens to its connections: what it does not get on any of them is lost, and what it
// hands on twice is duplicated.
package tally

import (
	"sync"
	"time"
)

// Tally is the account of one run. Its methods are safe for concurrent use. Times are in
// microseconds of a wire.Clock.
type Tally struct {
	senders int
	grace   int64
	ledger  ledger
	shards  []*shard

	mu      sync.Mutex
	clients []*Client

	collecting sync.Mutex // guards the following; locked before a shard
	piece      latencies  // what is being collected
	total      latencies
	interval   latencies // since the last tick
	step       latencies // since BeginStep
	series     []Interval
	last       mark
}

// New returns a tally for broadcasts from senders that take turns: number n comes from
// sender n modulo senders.
func New(senders, shards int, grace time.Duration) *Tally {
	t := &Tally{
		senders: senders,
		grace:   grace.Microseconds(),
		piece:   newLatencies(), total: newLatencies(), interval: newLatencies(), step: newLatencies(),
	}
	for range shards {
		t.shards = append(t.shards, &shard{latencies: newLatencies()})
	}
	return t
}

// Schedule adds broadcasts and returns the number of the first. Only scheduled broadcasts
// may be sent.
func (t *Tally) Schedule(count int) (first int) { return t.ledger.schedule(count) }

// Sent records that a broadcast is about to be written. Call it once for each.
func (t *Tally) Sent(n int, at int64) { t.ledger.sent(n, at) }

// Accepted records the reply to a broadcast.
func (t *Tally) Accepted(n int, at int64) { t.ledger.accept(n, at) }

// Rejected records an error reply, to wire.NoNumber if it does not name the broadcast.
func (t *Tally) Rejected(n int, code string) { t.ledger.reject(n, code) }

// SendCounts returns the numbers so far.
func (t *Tally) SendCounts() SendCounts { return t.ledger.sendCounts() }

// Connected is how many connections are open.
func (t *Tally) Connected() int { return t.totals().connected }

// Counts returns the numbers so far. Before Close, nothing that might still arrive is
// lost or missed.
func (t *Tally) Counts() Counts { return t.totals().Counts }

// Missing is how many deliveries are owed to the connections that are open.
func (t *Tally) Missing() int {
	n := 0
	for _, c := range t.everybody() {
		n += c.missing()
	}
	return n
}

// Close ends the run: what has not arrived is lost, and nothing counts any longer.
// Replies stop counting first: a broadcast accepted after the last delivery that counts
// would seem lost.
func (t *Tally) Close() {
	t.ledger.close()
	for _, h := range t.shards {
		h.mu.Lock()
		h.closed = true
		h.mu.Unlock()
	}
	for _, c := range t.everybody() {
		c.shard.mu.Lock()
		c.close()
		c.shard.mu.Unlock()
	}
}

func (t *Tally) everybody() []*Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clients
}

// totals are sums over all shards.
type totals struct {
	Counts
	connected int
}

func (t *Tally) totals() totals {
	var sum totals
	for _, h := range t.shards {
		h.mu.Lock()
		sum.plus(&h.counts)
		sum.connected += h.connected
		h.mu.Unlock()
	}
	return sum
}
