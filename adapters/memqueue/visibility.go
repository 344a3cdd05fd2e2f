package memqueue

import "time"

// show puts a message at the end of the visible ones.
func (q *Queue) show(m *message) {
	m.element = q.ready.PushBack(m)
	q.signal()
}

// signal wakes one waiting Receive, or the next to wait.
func (q *Queue) signal() {
	select {
	case q.visible <- struct{}{}:
	default:
	}
}

// reveal moves messages that have become visible from hidden to where they belong.
func (q *Queue) reveal(now time.Time) {
	for len(q.hidden) > 0 && !q.hidden[0].visibleAt.After(now) {
		m := q.hidden[0]
		q.unhide(m)
		switch {
		case m.receives == 0:
			q.delayed--
			q.show(m)
		case !q.deadLetter(m):
			q.cfg.observe(func(o Observer) { o.Redelivered(m.snapshot()) })
			q.show(m)
		}
	}
}

// deadLetter moves a message that was received too often to the dead-letter queue, and
// reports whether it could.
func (q *Queue) deadLetter(m *message) bool {
	if q.cfg.DeadLetters == nil || m.receives < q.cfg.MaxReceives {
		return false
	}
	if !q.cfg.DeadLetters.adopt(m) {
		q.cfg.observe(func(o Observer) { o.DeadLettersFull(m.snapshot()) })
		return false
	}
	q.cfg.observe(func(o Observer) { o.DeadLettered(m.snapshot()) })
	delete(q.receipts, m.receipt)
	q.bytes -= len(m.body)
	q.settle()
	return true
}

// adopt takes a message from another queue, keeps its id, resets its receives, and
// reports whether there was room.
func (q *Queue) adopt(m *message) bool {
	now := q.enter()
	defer q.mu.Unlock()
	dead := &message{id: m.id, body: m.body, sentAt: m.sentAt}
	if !q.claim(dead) {
		return false
	}
	q.put(dead, now)
	return true
}
