package main

import (
	"context"
	"sync"
	"time"

	"serverless-websocket/integration/tools/load/wire"
)

// sender is what a client needs that sends. The broadcasts of one sender are
// written one after the other; those that are late by that keep their place in
// the schedule, from which their latency counts.
type sender struct {
	trial *trial
	index int
	link  link
	// window has an element for each broadcast that waits for its reply, as long
	// as their number is limited.
	window chan struct{}
}

// job is a stretch that is being sent.
type job struct {
	stretch
	first int   // number of the first broadcast
	start int64 // of the schedule, by the clock
}

func newSender(t *trial, index int) *sender {
	all, share := t.settings.outstanding, t.settings.senders
	window := all / share
	if index < all%share {
		window++
	}
	return &sender{trial: t, index: index, window: make(chan struct{}, window), link: link{opened: make(chan struct{})}}
}

// work sends this sender's part of a job, or as much of it as it can before ctx
// ends.
func (s *sender) work(ctx context.Context, j job) {
	senders := len(s.trial.senders)
	for i := (s.index - j.first%senders + senders) % senders; i < j.count; i += senders {
		due, ok := s.await(ctx, j, i)
		if !ok {
			return
		}
		conn, ok := s.link.await(ctx)
		if !ok {
			return
		}
		stamp := wire.Stamp{N: j.first + i, Due: due, Sent: s.trial.clock.Now()}
		s.trial.tally.Sent(stamp.N, stamp.Sent)
		// What failed stays without a reply, and the reading of the connection will
		// fail as well.
		_ = conn.Send(ctx, stamp)
	}
}

// await waits until broadcast i of the job is to be sent, and returns when that
// was. Without a schedule that is when there is room in the window.
func (s *sender) await(ctx context.Context, j job, i int) (due int64, ok bool) {
	if j.rate > 0 {
		due = j.start + j.due(i)
		return due, sleep(ctx, s.trial.clock.Until(due))
	}
	select {
	case s.window <- struct{}{}:
		return s.trial.clock.Now(), ctx.Err() == nil
	case <-ctx.Done():
		return 0, false
	}
}

// replied takes a reply.
func (s *sender) replied(r wire.Reply, at int64) {
	if r.Accepted {
		s.trial.tally.Accepted(r.N, at)
	} else {
		s.trial.tally.Rejected(r.N, r.Code)
	}
	s.makeRoom()
}

// echoed takes what the sender sent itself and gets back for replies, if the
// server gives none.
func (s *sender) echoed(b *wire.Batch) {
	if s.trial.settings.protocol != string(wire.Echo) {
		return
	}
	for _, stamp := range b.Stamps {
		if stamp.N%len(s.trial.senders) == s.index {
			s.replied(wire.Reply{N: stamp.N, Accepted: true}, b.At)
		}
	}
}

// disconnected takes note that no replies will come to what was sent.
func (s *sender) disconnected() {
	s.link.clear()
	for s.makeRoom() {
	}
}

func (s *sender) makeRoom() bool {
	select {
	case <-s.window:
		return true
	default:
		return false
	}
}

// sleep reports whether the time went by before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// link is the connection that a client has at the moment.
type link struct {
	mu     sync.Mutex
	conn   *wire.Conn    // nil while there is none
	opened chan struct{} // closed while there is one
}

func (l *link) set(conn *wire.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	close(l.opened)
}

func (l *link) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.opened = nil, make(chan struct{})
}

func (l *link) isOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn != nil
}

// await returns the connection, when there is one.
func (l *link) await(ctx context.Context) (*wire.Conn, bool) {
	for {
		l.mu.Lock()
		conn, opened := l.conn, l.opened
		l.mu.Unlock()
		if conn != nil {
			return conn, true
		}
		select {
		case <-opened:
		case <-ctx.Done():
			return nil, false
		}
	}
}
