// Package tally counts what became of the broadcasts of a run: how each fared on
// its way to the server, and at which connections it arrived.
//
// A broadcast that was accepted is owed to every connection that was open before
// it was sent and stays open until the tally is closed. One that is owed and has
// not arrived by then is lost. When a client leaves by its own decision, what was
// accepted at least the grace before is owed to that connection too, and lost if
// it has not arrived. When the server or the network ends a connection, nothing
// is lost: what the client did not get on any connection, since its first one
// opened, is missed. It is missed because of the cut when the last connection
// that was open before the sending was cut, and while the client was away when
// the client had left that one.
package tally

import (
	"sync"
	"time"
)

// Tally is the accounting of one run. Its methods may be called concurrently.
// Moments are in microseconds of a wire.Clock.
type Tally struct {
	senders int
	grace   int64
	ledger  ledger
	shards  []*shard

	mu      sync.Mutex
	clients []*Client

	collecting sync.Mutex // guards what follows; locked before a shard
	piece      latencies  // what is being collected
	total      latencies
	interval   latencies // since the last tick
	step       latencies // since BeginStep
	series     []Interval
	last       mark
}

// New returns a tally for broadcasts that so many senders send in turn: number n
// comes from sender n modulo senders.
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

// Schedule adds so many broadcasts and returns the number of the first. Nothing
// may be sent that was not scheduled.
func (t *Tally) Schedule(count int) (first int) { return t.ledger.schedule(count) }

// Sent notes that a broadcast is about to be written. Call it once for each.
func (t *Tally) Sent(n int, at int64) { t.ledger.sent(n, at) }

// Accepted notes the reply to a broadcast.
func (t *Tally) Accepted(n int, at int64) { t.ledger.accept(n, at) }

// Rejected notes a reply with an error, to wire.NoNumber if it does not tell to
// which broadcast.
func (t *Tally) Rejected(n int, code string) { t.ledger.reject(n, code) }

// SendCounts are the numbers so far.
func (t *Tally) SendCounts() SendCounts { return t.ledger.sendCounts() }

// Connected is how many connections are open.
func (t *Tally) Connected() int { return t.totals().connected }

// Counts are the numbers so far. Before Close, nothing that might still come is
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

// Close ends the run: what has not arrived is lost, and nothing counts from now
// on. The replies end first: what was accepted after the last delivery that counts
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
