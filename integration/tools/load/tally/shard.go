package tally

import (
	"sync"

	"serverless-websocket/integration/tools/load/wire"
)

// shard counts for some of the clients, so that clients do not wait for each other.
type shard struct {
	mu        sync.Mutex
	closed    bool // nothing counts any more
	connected int
	counts    Counts
	latencies latencies // since they were last collected
	_         [64]byte  // keeps the next shard out of this one's cache line
}

// Counts describe what the clients received. Broadcasts delivered without being owed, to
// a connection that opened while they were in flight, count as delivered too.
type Counts struct {
	// Delivered counts each broadcast once per connection; DeliveredSlow is the part that
	// went to slow readers.
	Delivered, DeliveredSlow int
	// Recovered is the part of Delivered that a resume brought; it has no latency.
	Recovered int
	// Lost are those owed but not delivered; see the package comment.
	Lost int
	// Duplicated are deliveries of a broadcast that the connection already had, under the
	// same id or another.
	Duplicated int
	// OutOfOrder are deliveries after a later broadcast from the same sender, but not those
	// sent before the connection was open.
	OutOfOrder int
	// MissedAway are accepted broadcasts that a client did not get because it had
	// left, and MissedCut those that it did not get because its connection was cut.
	MissedAway, MissedCut int

	Foreign, Damaged, Unreadable int // as in wire.Batch
	Frames, Bytes                int
	Reconnects                   int

	// LastDelivery is when the last one arrived, or 0.
	LastDelivery int64
}

func (c *Counts) add(b *wire.Batch) {
	c.Foreign += b.Foreign
	c.Damaged += b.Damaged
	c.Unreadable += b.Unreadable
	c.Frames += b.Frames
	c.Bytes += b.Bytes
}

func (c *Counts) plus(o *Counts) {
	c.Delivered += o.Delivered
	c.DeliveredSlow += o.DeliveredSlow
	c.Recovered += o.Recovered
	c.Lost += o.Lost
	c.Duplicated += o.Duplicated
	c.OutOfOrder += o.OutOfOrder
	c.MissedAway += o.MissedAway
	c.MissedCut += o.MissedCut
	c.Foreign += o.Foreign
	c.Damaged += o.Damaged
	c.Unreadable += o.Unreadable
	c.Frames += o.Frames
	c.Bytes += o.Bytes
	c.Reconnects += o.Reconnects
	c.LastDelivery = max(c.LastDelivery, o.LastDelivery)
}

// arrived counts a delivery without its latency. The shard is locked.
func (h *shard) arrived(at int64) {
	h.counts.Delivered++
	h.counts.LastDelivery = max(h.counts.LastDelivery, at)
}

// delivered counts a delivery. The shard is locked.
func (h *shard) delivered(at int64, s wire.Stamp, slow bool) {
	h.arrived(at)
	if slow {
		h.counts.DeliveredSlow++
		record(h.latencies.slow, at-s.Due)
		return
	}
	record(h.latencies.fromSend, at-s.Sent)
	record(h.latencies.fromSchedule, at-s.Due)
}
