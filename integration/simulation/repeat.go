package simulation

import (
	"slices"
	"time"

	"serverless-websocket/domain"
)

// maxTries is how often a sender tries to get an answer.
const maxTries = 3

// sendAgain has a user send a message again whose answer was lost, or that the service may
// have accepted.
func (w *world) sendAgain(m *message, from domain.Connection, answered bool) {
	for n := 1; n < maxTries && m.sender != "" && w.history != nil; n++ {
		s := w.seed.of("again", m.id, n)
		if answered && !s.happens("lost", 0.4) {
			return
		}
		w.fault("reply lost")
		time.Sleep(s.between("after", time.Millisecond, 6*time.Second))
		answered = w.try(m, from, tryID(m.number, n), true)
	}
}

// checkRepeats checks that a log has no more than one of the tries to send a message. A log
// that forgets can have several, and a client drops none of them.
func (w *world) checkRepeats() {
	if w.history == nil || w.plan.forgetful {
		return
	}
	for _, m := range w.messages {
		for to, all := range w.history.ever {
			var at []domain.Position
			for _, l := range all {
				if slices.Contains(m.ids, domain.MessageID(l.id)) {
					at = append(at, l.at)
				}
			}
			if len(m.ids) > 1 && len(at) > 0 {
				w.checked("a message that is sent again is in a log once", 1)
			}
			if len(at) > 1 {
				w.broken("%s is in the log of %s at %v", m.id, to, at)
			}
		}
	}
}
