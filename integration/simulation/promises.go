package simulation

import (
	"slices"
	"time"

	"serverless-websocket/domain"
)

// checkDeadLetters checks the first promise before anything is redriven: for every client
// that misses a message there is a dead letter.
func (w *world) checkDeadLetters() {
	var letters []letter
	for _, e := range w.dead.entries {
		l := letterOf(e.body)
		if e.receives == 0 && (l.Reason == "" || l.Attempt > len(l.Only)) {
			w.broken("a dead letter has reason %q and %d attempts", l.Reason, l.Attempt)
		}
		letters = append(letters, l)
	}
	for _, missing := range w.missing() {
		covered := false
		w.note(func() {
			covered = slices.ContainsFunc(letters, func(l letter) bool { return l.covers(missing.message, missing.client) })
		})
		if !covered {
			w.broken("%s misses %s, but no dead letter has it", missing.client.id, missing.message.id)
		}
	}
	if w.plan.kind == prompt {
		w.checkPromptness()
	}
	if w.plan.kind == exact && len(w.repeats) > 0 {
		w.broken("%d jobs were redelivered for no reason", len(w.repeats))
	}
	if refused := w.gateway.overQuota; refused > 0 && w.plan.kind == exact && w.plan.governed {
		w.broken("%d posts of governed workers were over the quota", refused)
	}
}

// checkDeliveries is for when all dead letters have been processed.
func (w *world) checkDeliveries() {
	for _, missing := range w.missing() {
		w.broken("%s never got %s", missing.client.id, missing.message.id)
	}
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	for _, c := range w.clients {
		w.checked("no client gets a message more often than faults explain", len(c.got))
		for id, at := range c.got {
			if allowed := w.allowed(c, id); len(at) > allowed {
				w.broken("%s got %s %d times, but faults explain only %d", c.id, id, len(at), allowed)
			}
		}
	}
	for _, c := range w.gateway.clients {
		w.checked("gone connections are not posted to for long", len(c.gone))
		for id, n := range c.gone {
			if allowed := w.allowed(c, id); n > maxGone*allowed {
				w.broken("%s was found gone by %d posts of %s, but faults explain only %d", c.id, n, id, maxGone*allowed)
			}
		}
	}
}

// maxGone is the maximum number of posts of one message that find a connection gone while
// it may be about to open: at once and after 1, 2, 4, 8 and 16 s.
const maxGone = 6

// allowed is how often a client may get a message: once, plus once for each time that a
// job for it was redelivered or a post to the client had an unknown outcome. The caller
// holds the gateway's lock.
func (w *world) allowed(c *client, id domain.MessageID) int {
	allowed := 1 + c.unknown
	if w.plan.forgetful {
		allowed += len(w.gateway.messages[id].ids) - 1 // the log may have forgotten the first
	}
	for _, l := range w.repeats {
		if l.covers(w.gateway.messages[id], c) {
			allowed++
		}
	}
	return allowed
}

// gap is a message that did not reach a connection.
type gap struct {
	client  *client
	message *message
}

// missing finds violations of the first promise: an accepted message that did not reach a
// connection of its recipients that was registered before and is open now.
func (w *world) missing() []gap {
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	var gaps []gap
	for _, c := range w.clients {
		for _, m := range w.messages {
			if !m.acceptedAt.IsZero() {
				w.checked("an accepted message reaches all, or is a dead letter", 1)
			}
			owed := !m.acceptedAt.IsZero() && c.state == open && c.isOwed(m)
			if owed && len(c.got[m.id]) == 0 {
				gaps = append(gaps, gap{c, m})
			}
		}
	}
	return gaps
}

// checkPromptness: every open client that is not slow gets a message in time while others
// are slow.
func (w *world) checkPromptness() {
	for _, c := range w.clients {
		for _, m := range w.messages {
			at := c.got[m.id]
			if c.slow || c.openedAt.After(m.sentAt) || len(at) == 0 {
				continue
			}
			w.checked("slow clients delay no one else", 1)
			if took := at[0].Sub(m.sentAt); took > w.plan.promptly {
				w.broken("%s is open and fast but got %s after %v", c.id, m.id, took)
			}
		}
	}
}

// checkRows checks the second promise, just after every connection has been posted to:
// the table has the rows of live clients and no others.
func (w *world) checkRows() {
	rows := w.store.ids()
	w.checked("rows of live clients stay, all others are removed", len(w.gateway.clients))
	for _, c := range w.clients {
		stored := rows[c.id]
		switch {
		case c.expired() && w.plan.governed: // posts may leave no time for its closing
		case c.expired() && stored:
			w.broken("%s still has its row, but its token has expired", c.id)
		case c.expired():
		case c.state == open && !stored:
			w.broken("%s is open but has lost its row", c.id)
		case c.state == dead && stored:
			w.broken("%s is dead but still has its row after %v", c.id, time.Since(c.rowAt))
		}
		delete(rows, c.id)
	}
	if len(rows) > 0 {
		w.broken("%d old rows are left", len(rows))
	}
}
