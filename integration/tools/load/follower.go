package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	inbox "serverless-websocket/clients/go"
	"serverless-websocket/integration/tools/load/tally"
	"serverless-websocket/integration/tools/load/wire"
)

const (
	// gapLeast and gapMost are how long a client waits for what is missing before it
	// resumes.
	gapLeast, gapMost = 2 * time.Second, 10 * time.Second
	// askTimeout is how long writing a resume can take.
	askTimeout = 10 * time.Second
)

// follower is the part of a client that keeps positions, through all its connections. Of
// requests to resume, at most one is under way.
type follower struct {
	run     *loadRun
	account *tally.Client
	known   signal // when the client has a position, or cannot get one
	done    signal // when it has resumed once more at the end

	mu      sync.Mutex
	inbox   *inbox.Inbox
	session *tally.Session     // nil before the first position
	conn    *wire.Conn         // nil while there is none
	cut     context.CancelFunc // of conn
	request *request           // without an answer; nil for none
	early   map[string]bool    // ids of messages that have come, and are held back
	ending  bool               // the next request is the last
	due     bool               // another request, as soon as there is an answer
	later   *time.Timer        // until a request is due; nil for none
}

// request is a request to resume. While there is more, others follow under its name.
type request struct {
	sent int64
	back bool // after a reconnect
	last bool // at the end of the run
}

func newFollower(r *loadRun, account *tally.Client) *follower {
	return &follower{
		run: r, account: account, inbox: inbox.NewInbox(),
		known: newSignal(), done: newSignal(), early: make(map[string]bool),
	}
}

// connected resumes on a new connection.
func (f *follower) connected(conn *wire.Conn) {
	conn.Follow()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conn = conn
	if f.session != nil {
		f.session.Continue()
	}
	f.ask(f.session != nil)
}

func (f *follower) isConnected() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conn != nil
}

// stay ends when the client is cut.
func (f *follower) stay(ctx context.Context) (context.Context, context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, f.cut = context.WithCancel(ctx)
	return ctx, f.cut
}

// cutOff cuts the connection, if there is one, and reports whether there was.
func (f *follower) cutOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn == nil || f.cut == nil {
		return false
	}
	f.cut()
	return true
}

// Left implements session.
func (f *follower) Left(int64) { f.disconnected() }

// Cut implements session.
func (f *follower) Cut() { f.disconnected() }

func (f *follower) disconnected() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conn, f.cut, f.request, f.due = nil, nil, nil, false
	if f.later != nil {
		f.later.Stop()
		f.later = nil
	}
	if f.session != nil {
		f.session.Suspend()
	}
}

// ask begins a request. The caller has locked f.
func (f *follower) ask(back bool) {
	f.request = &request{sent: f.run.clock.Now(), back: back, last: f.ending}
	f.send()
}

// send writes a request, but not here: the goroutine that reads must not wait for a
// server that reads later.
func (f *follower) send() {
	conn, positions := f.conn, f.inbox.Positions()
	f.run.living.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		_ = conn.Resume(ctx, positions) // if it fails, there is no answer
	})
}

// finish resumes once more.
func (f *follower) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = true
	switch {
	case f.conn == nil: // connected will ask
	case f.request != nil:
		f.due = true
	default:
		f.ask(false)
	}
}

// mindGap resumes after a while if messages are missing.
func (f *follower) mindGap() {
	if f.request == nil && f.inbox.Missing() {
		f.askLater(gapLeast + rand.N(gapMost-gapLeast))
	}
}

// askLater resumes after a while if that is still needed.
func (f *follower) askLater(pause time.Duration) {
	if f.later != nil {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(pause, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.later != timer {
			return // stopped too late
		}
		f.later = nil
		switch {
		case f.request != nil: // it was refused
			f.send()
		case f.inbox.Missing():
			f.run.resumes.gap()
			f.ask(false)
		}
	})
	f.later = timer
}
