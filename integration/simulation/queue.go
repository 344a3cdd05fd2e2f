package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// queue is a queue like SQS: at least once, in no order, with a visibility
// timeout and a dead-letter queue.
type queue struct {
	*world
	name        string
	deadLetters *queue // nil: messages are received without limit

	mu      sync.Mutex
	entries []*entry
	stored  int
	changed chan struct{} // has a token when an entry may have become visible
}

// entry is a message on the queue.
type entry struct {
	id        string
	body      string
	visibleAt time.Time
	receives  int
	order     seed // among those that are visible at once
}

// maxReceives is how often a message can be received before it becomes a dead letter; see
// serverless.yml.
const maxReceives = 5

var errQueue = errors.New("queue unavailable")

func newQueue(w *world, name string, deadLetters *queue) *queue {
	return &queue{
		world: w, name: name, deadLetters: deadLetters, changed: make(chan struct{}, 1),
	}
}

func (q *queue) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	call := callerOf(ctx).call("send to " + q.name + " " + fingerprint(messages))
	d := q.seed.of("send", call)
	if err := travel(ctx, d.between("there", time.Millisecond, 30*time.Millisecond)); err != nil {
		return err
	}
	err := q.take(d, written(messages, callerOf(ctx).clock))
	q.event("send", call, err)
	return cmp.Or(travel(ctx, d.between("back", time.Millisecond, 30*time.Millisecond)), err)
}

// written returns the messages as written by a function whose clock is ahead.
func written(messages []ports.QueueMessage, ahead time.Duration) []ports.QueueMessage {
	messages = slices.Clone(messages)
	for i := range messages {
		messages[i].Body = shifted(messages[i].Body, ahead)
	}
	return messages
}

func fingerprint(messages []ports.QueueMessage) string {
	s := seed(len(messages))
	for _, m := range messages {
		s = s.of(m.Body)
	}
	return fmt.Sprintf("%x", uint64(s))
}

// take stores the messages, or those that the send's fate allows.
func (q *queue) take(d seed, messages []ports.QueueMessage) error {
	h := q.hazards()
	if since := time.Since(q.start); h.outageFrom <= since && since < h.outageFrom+h.outage {
		q.fault("queue down")
		return errQueue
	}
	fails, unknown := d.happens("fails", h.sendFails), d.happens("unknown", h.sendUnknown)
	failed := make(map[int]error)
	for i, m := range messages {
		one := d.of("message", i)
		if err := m.Validate(); err != nil {
			failed[i] = err
			continue
		}
		if fails && one.happens("fails", 0.7) {
			q.fault("send refused")
			failed[i] = errQueue
			continue
		}
		if unknown {
			q.fault("send unknown")
			q.comesAgain(m.Body)
			if one.happens("lost", 0.5) {
				continue
			}
		}
		q.store(one, m)
	}
	switch {
	case unknown:
		return errQueue
	case len(failed) > 0:
		return &ports.SendError{Failed: failed}
	}
	return nil
}

// store keeps a message and, if fate has it delivered twice, its duplicate.
func (q *queue) store(d seed, m ports.QueueMessage) {
	q.mu.Lock()
	q.stored++
	id := fmt.Sprintf("%s-%d", q.name, q.stored)
	q.mu.Unlock()
	h := q.hazards()
	// No two messages become visible at the same instant: which one an invocation gets
	// must not depend on whether the event source or a sender acts first.
	visibleAt := time.Now().Add(ceilSeconds(m.Delay) + d.between("visible", time.Millisecond, 50*time.Millisecond))
	if d.happens("overtaken", h.reordered) {
		q.fault("job overtaken")
		visibleAt = visibleAt.Add(d.between("overtaken by", 0, 3*time.Second))
	}
	q.add(&entry{id: id, body: m.Body, visibleAt: visibleAt})
	if d.happens("twice", h.duplicates) {
		q.fault("job delivered twice")
		q.comesAgain(m.Body)
		again := visibleAt.Add(d.between("again", 0, 5*time.Second))
		q.add(&entry{id: id, body: m.Body, visibleAt: again})
	}
}

// ceilSeconds rounds up: SQS counts delays in seconds.
func ceilSeconds(d time.Duration) time.Duration {
	return time.Duration(math.Ceil(d.Seconds())) * time.Second
}

func (q *queue) add(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.order = q.seed.of(e.id, 0)
	q.entries = append(q.entries, e)
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// letter is what a check needs to know about a queue body.
type letter struct {
	To       string
	Echo     bool
	Messages []struct{ ID domain.MessageID }
	Only     []struct{ ID domain.ConnectionID }
	Attempt  int
	Reason   string
}

// letterOf returns the zero letter, which covers nothing, for a body that is not a job.
func letterOf(body string) letter {
	var l letter
	_ = json.Unmarshal([]byte(body), &l) // jobs are JSON
	return l
}

// covers reports whether the body is a job that can deliver the message to the client.
// The caller holds the gateway's lock.
func (l letter) covers(m *message, c *client) bool {
	if !slices.ContainsFunc(l.Messages, func(one struct{ ID domain.MessageID }) bool { return slices.Contains(m.ids, one.ID) }) {
		return false
	}
	if len(l.Only) > 0 {
		return slices.ContainsFunc(l.Only, func(one struct{ ID domain.ConnectionID }) bool { return one.ID == c.id })
	}
	to, err := domain.ParseRecipients(cmp.Or(l.To, "everyone"))
	return err == nil && (c.mayGet(to) || l.Echo && c.echoes(m))
}

// due returns the time until a message is visible; not ok if there is none.
func (q *queue) due() (wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		return 0, false
	}
	first := slices.MinFunc(q.entries, func(a, b *entry) int { return a.visibleAt.Compare(b.visibleAt) })
	return time.Until(first.visibleAt), true
}

// receive hides up to limit of the visible messages and returns them, in an
// order that depends on the seed.
func (q *queue) receive(limit int) []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []*entry
	now := time.Now()
	for _, e := range q.entries {
		if !e.visibleAt.After(now) {
			batch = append(batch, e)
		}
	}
	slices.SortFunc(batch, func(a, b *entry) int { return cmp.Compare(a.order, b.order) })
	batch = batch[:min(limit, len(batch))]
	for _, e := range batch {
		q.hide(e)
	}
	return slices.DeleteFunc(batch, func(e *entry) bool { return e.receives > maxReceives })
}

// hide counts a receive, or moves a message that was received too often to the
// dead-letter queue.
func (q *queue) hide(e *entry) {
	e.receives++
	e.order = q.seed.of(e.id, e.receives)
	e.visibleAt = time.Now().Add(q.plan.visibility)
	if e.receives > 1 && !q.isNonsense(e.body) {
		q.comesAgain(e.body)
	}
	if e.receives > maxReceives {
		q.entries = slices.DeleteFunc(q.entries, func(o *entry) bool { return o == e })
		q.deadLetters.add(&entry{id: e.id, body: e.body, receives: e.receives})
		q.event("dead letter", e.id)
	}
}

// remove deletes processed messages.
func (q *queue) remove(done *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.entries = slices.DeleteFunc(q.entries, func(e *entry) bool { return e == done })
}

// drain takes everything off the queue.
func (q *queue) drain() []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.entries
	q.entries = nil
	return all
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries) == 0
}

var _ ports.Queue = (*queue)(nil)
