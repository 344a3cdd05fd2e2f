package wsgateway

import (
	"sync"
	"time"
)

// alarms ring a fixed time after they were set, so they are due in that order and share one
// timer: setting and stopping one of the runtime's takes as long as some handlers of
// $connect. They are safe for concurrent use.
type alarms struct {
	after time.Duration
	run   func(func()) // rings, on another goroutine

	mu          sync.Mutex
	first, last *alarm
	running     bool // a timer is
}

// alarm belongs to one set of alarms. The zero value is not set.
type alarm struct {
	ring           func()
	due            time.Time
	set            bool
	previous, next *alarm
}

// set has the alarm ring.
func (s *alarms) set(a *alarm, ring func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*a = alarm{ring: ring, due: time.Now().Add(s.after), set: true, previous: s.last}
	if s.last == nil {
		s.first = a
	} else {
		s.last.next = a
	}
	s.last = a
	if !s.running {
		s.running = true
		time.AfterFunc(s.after, s.check)
	}
}

// stop reports whether the alarm was set. If not, it rings or has rung.
func (s *alarms) stop(a *alarm) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(a)
}

// remove is stop. The caller holds s.mu.
func (s *alarms) remove(a *alarm) bool {
	if !a.set {
		return false
	}
	if a.previous == nil {
		s.first = a.next
	} else {
		a.previous.next = a.next
	}
	if a.next == nil {
		s.last = a.previous
	} else {
		a.next.previous = a.previous
	}
	a.set, a.previous, a.next = false, nil, nil
	return true
}

// check rings what is due.
func (s *alarms) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for a := s.first; a != nil && !now.Before(a.due); a = s.first {
		s.remove(a)
		s.run(a.ring)
	}
	s.running = s.first != nil
	if s.running {
		time.AfterFunc(s.first.due.Sub(now), s.check)
	}
}
