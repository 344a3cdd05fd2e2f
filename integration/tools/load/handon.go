package main

import (
	"math/rand/v2"
	"time"

	inbox "serverless-websocket/clients/go"
	"serverless-websocket/integration/tools/load/wire"
)

// Deliver implements session.
func (f *follower) Deliver(b *wire.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range b.Received {
		switch {
		case one.Resumed != nil:
			f.resumed(b, one.Resumed)
		case one.Refused != "":
			f.refused(one.Refused, one.Wait)
		default:
			f.receive(b, one.Frame)
		}
	}
	if f.session != nil {
		f.session.Deliver(b) // what is not in order: bytes, frames and what cannot be read
	}
	f.mindGap()
}

func (f *follower) receive(b *wire.Batch, frame inbox.Frame) {
	f.handOn(b, f.inbox.Receive(frame), nil)
	if f.request == nil && !f.inbox.Missing() {
		clear(f.early)
		return
	}
	for _, m := range frame.Messages {
		f.early[m.ID] = true
	}
}

// resumed takes an answer. With the first one the client has a position, and is owed all
// that is sent from now on.
func (f *follower) resumed(b *wire.Batch, answers map[string]inbox.Answer) {
	if f.request == nil {
		b.Unreadable++ // an answer without a request
		return
	}
	if f.session == nil {
		f.session = f.account.Open(b.At)
		f.known.give()
	}
	events, more := f.inbox.Resumed(answers)
	f.handOn(b, events, f.onlyIn(answers))
	if more {
		f.send()
		return
	}
	f.caughtUp(b.At)
}

// onlyIn returns the ids of messages that an answer alone has brought.
func (f *follower) onlyIn(answers map[string]inbox.Answer) map[string]bool {
	ids := make(map[string]bool)
	for _, a := range answers {
		for _, m := range a.Messages {
			if !f.early[m.ID] {
				ids[m.ID] = true
			}
		}
	}
	return ids
}

// caughtUp ends a request.
func (f *follower) caughtUp(at int64) {
	if f.request.back {
		f.run.resumes.resumed(at - f.request.sent)
	}
	if f.request.last {
		f.ending = false
		f.done.give()
	}
	f.request = nil
	if f.due {
		f.due = false
		f.ask(false)
	}
}

// refused asks again later, unless that is in vain: after the wait that a busy service
// wants, or a while.
func (f *follower) refused(code string, wait time.Duration) {
	if wait > 0 {
		f.run.resumes.wait()
		f.askLater(wait + rand.N(wait/2))
		return
	}
	f.run.resumes.refuse(code)
	if code == noHistory {
		f.known.give()
		return
	}
	f.askLater(about(firstRetry))
}

// failed takes replies that do not say what they answer. A client that does not send has
// asked for nothing else.
func (f *follower) failed(replies []wire.Reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range replies {
		if f.request != nil {
			f.refused(r.Code, 0)
		}
	}
}

// handOn counts messages that are in order. Those without numbers can come before the
// first position.
func (f *follower) handOn(b *wire.Batch, events []inbox.Event, recovered map[string]bool) {
	if f.session == nil {
		return
	}
	for _, e := range events {
		if e.Lost != "" {
			f.run.resumes.lose()
		} else if stamp, ok := f.conn.Stamp(b, e.Message.Content); ok {
			f.session.HandOn(b.At, stamp, recovered[e.Message.ID])
		}
	}
}
