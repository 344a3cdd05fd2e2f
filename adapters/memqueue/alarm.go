package memqueue

import "time"

// alarm is the one timer of a queue. It rings no later than the earliest requested time.
// It may ring early if that message is gone: not moving it at every Delete makes it
// nearly free.
type alarm struct {
	timer *time.Timer
	at    time.Time // when it rings; zero while it is not set
}

// by makes the alarm ring at t, unless it rings earlier.
func (a *alarm) by(t time.Time, ring func()) {
	if !a.at.IsZero() && !t.Before(a.at) {
		return
	}
	a.at = t
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(t), ring)
		return
	}
	a.timer.Reset(time.Until(t))
}

// ring brings the queue up to date when no one calls it, and resets the alarm.
func (q *Queue) ring() {
	q.enter()
	defer q.mu.Unlock()
	q.alarm.at = time.Time{}
	if len(q.hidden) > 0 {
		q.alarm.by(q.hidden[0].visibleAt, q.ring)
	}
}
