package tally

import (
	"sync"
	"sync/atomic"
)

// never is the time of something that has not happened.
const never = -1

// ledger tracks each broadcast on its way to the server.
type ledger struct {
	scheduled atomic.Int64 // broadcasts there are, or will be

	mu         sync.RWMutex
	broadcasts []broadcast
	accepted   set
	unsent     int // the first that is not sent
	counts     SendCounts
	closed     bool // nothing counts any more
}

type broadcast struct {
	sent, accepted int64 // when, or never
	answered       bool
}

// SendCounts are the numbers of broadcasts. Sent broadcasts that are neither accepted nor
// rejected are unanswered.
type SendCounts struct {
	Scheduled, Sent, Accepted int
	Rejected                  map[string]int // by code
}

// RejectedInAll is the sum over all codes.
func (c SendCounts) RejectedInAll() int {
	sum := 0
	for _, n := range c.Rejected {
		sum += n
	}
	return sum
}

// Unanswered is how many were sent and got no reply. It is never negative, even if a
// server sends too many replies.
func (c SendCounts) Unanswered() int {
	return max(0, c.Sent-c.Accepted-c.RejectedInAll())
}

// schedule adds broadcasts and returns the number of the first.
func (l *ledger) schedule(count int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := len(l.broadcasts)
	for range count {
		l.broadcasts = append(l.broadcasts, broadcast{sent: never, accepted: never})
	}
	l.counts.Scheduled += count
	l.scheduled.Store(int64(len(l.broadcasts)))
	return first
}

// sent is called right before a broadcast is written.
func (l *ledger) sent(n int, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.broadcasts[n].sent = at
	l.counts.Sent++
	for l.unsent < len(l.broadcasts) && l.broadcasts[l.unsent].sent != never {
		l.unsent++
	}
}

// accept records a reply. Only the first to a broadcast counts.
func (l *ledger) accept(n int, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.unanswered(n); b != nil {
		b.answered, b.accepted = true, at
		l.accepted.add(n)
		l.counts.Accepted++
	}
}

// reject records a reply, which may not say which broadcast it answers.
func (l *ledger) reject(n int, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if n >= 0 {
		b := l.unanswered(n)
		if b == nil {
			return
		}
		b.answered = true
	}
	if l.counts.Rejected == nil {
		l.counts.Rejected = map[string]int{}
	}
	l.counts.Rejected[code]++
}

// close stops counting replies.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// unanswered returns the broadcast if it was sent, has no reply yet, and replies still
// count.
func (l *ledger) unanswered(n int) *broadcast {
	if l.closed || n < 0 || n >= len(l.broadcasts) || l.broadcasts[n].sent == never || l.broadcasts[n].answered {
		return nil
	}
	return &l.broadcasts[n]
}

// firstUnsent is a number below which everything is sent.
func (l *ledger) firstUnsent() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.unsent
}

// owed visits accepted broadcasts that are not in had, were sent from one time on and
// accepted up to another.
func (l *ledger) owed(had *set, sentFrom, acceptedBy int64, visit func(n int, sent int64)) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := had.base + had.full; i < l.accepted.end(); i++ {
		each(i, l.accepted.word(i)&^had.word(i), func(n int) {
			if b := l.broadcasts[n]; b.sent >= sentFrom && b.accepted <= acceptedBy {
				visit(n, b.sent)
			}
		})
	}
}

func (l *ledger) sendCounts() SendCounts {
	l.mu.RLock()
	defer l.mu.RUnlock()
	counts := l.counts
	counts.Rejected = make(map[string]int, len(l.counts.Rejected))
	for code, n := range l.counts.Rejected {
		counts.Rejected[code] = n
	}
	return counts
}
