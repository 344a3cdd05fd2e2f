package tally

import "serverless-websocket/integration/tools/load/wire"

// HandOn records a broadcast that a client which resumes has put into order. A recovered
// one has come only in the answer to a resume.
func (s *Session) HandOn(at int64, stamp wire.Stamp, recovered bool) {
	h := s.client.shard
	known := int(s.client.t.ledger.scheduled.Load())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || !s.isNew(stamp, known) {
		return
	}
	if !recovered {
		h.delivered(at, stamp, false)
		return
	}
	h.arrived(at)
	h.counts.Recovered++
}

// Suspend records that the connection has ended. What the session is owed stays owed.
func (s *Session) Suspend() {
	h := s.client.shard
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.connected--
	}
}

// Continue records that the client has another connection.
func (s *Session) Continue() {
	h := s.client.shard
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.connected++
		h.counts.Reconnects++
	}
}
