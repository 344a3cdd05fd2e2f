package main

import (
	"context"
	"sync"
	"time"

	"serverless-websocket/integration/tools/load/wire"
)

// sender is the sending side of a client. It writes its broadcasts one after the other;
// those that are late because of that keep their place in the schedule, from which their
// latency counts.
type sender struct {
	run   *loadRun
	index int
	link  link
	// window has an element for each unanswered broadcast, if their number is limited.
	window chan struct{}
}

// job is a phase being sent.
type job struct {
	phase
	first int   // number of the first broadcast
	start int64 // of the schedule, by the clock
}

func newSender(r *loadRun, index int) *sender {
	all, share := r.settings.outstanding, r.settings.senders
	window := all / share
	if index < all%share {
		window++
	}
	return &sender{run: r, index: index, window: make(chan struct{}, window), link: link{opened: make(chan struct{})}}
}

// work sends this sender's part of a job, or as much of it as it can before ctx
// ends.
func (s *sender) work(ctx context.Context, j job) {
	senders := len(s.run.senders)
	for i := (s.index - j.first%senders + senders) % senders; i < j.count; i += senders {
		due, ok := s.await(ctx, j, i)
		if !ok {
			return
		}
		conn, ok := s.link.await(ctx)
		if !ok {
			return
		}
		stamp := wire.Stamp{N: j.first + i, Due: due, Sent: s.run.clock.Now()}
		s.run.tally.Sent(stamp.N, stamp.Sent)
		// A failed broadcast stays without a reply, and reading from the connection will
		// fail as well.
		_ = conn.Send(ctx, stamp)
	}
}

// await waits until broadcast i of the job is due, and returns its due time. Without a
// schedule, it is due when there is room in the window.
func (s *sender) await(ctx context.Context, j job, i int) (due int64, ok bool) {
	if j.rate > 0 {
		due = j.start + j.due(i)
		return due, sleep(ctx, s.run.clock.Until(due))
	}
	select {
	case s.window <- struct{}{}:
		return s.run.clock.Now(), ctx.Err() == nil
	case <-ctx.Done():
		return 0, false
	}
}

// replied handles a reply.
func (s *sender) replied(r wire.Reply, at int64) {
	if r.Accepted {
		s.run.tally.Accepted(r.N, at)
	} else {
		s.run.tally.Rejected(r.N, r.Code)
	}
	s.makeRoom()
}

// echoed treats the sender's own broadcasts that come back as replies, if the server
// sends none.
func (s *sender) echoed(b *wire.Batch) {
	if s.run.settings.protocol != string(wire.Echo) {
		return
	}
	for _, stamp := range b.Stamps {
		if stamp.N%len(s.run.senders) == s.index {
			s.replied(wire.Reply{N: stamp.N, Accepted: true}, b.At)
		}
	}
}

// disconnected records that outstanding broadcasts will get no replies.
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

// sleep reports whether the time passed before ctx ended.
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

// link is a client's current connection.
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

// await returns the connection once there is one.
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
