package memqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"serverless-websocket/ports"
)

// Send puts the messages onto the queue in order. Messages that exceed a limit, for which
// there is no room, or that the journal does not keep are listed in a *ports.SendError and
// are not on the queue; the others are stored. What the journal was keeping when the context
// ended is listed and not on the queue, though a later process may find it there if this one
// is killed at once. What the journal may have kept, and does not know, is listed and on the
// queue. The only other error is that of a context that had ended before, and then none is
// stored.
func (q *Queue) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	failed := make(map[int]error)
	for i, m := range messages {
		if err := m.Validate(); err != nil {
			failed[i] = err
		}
	}
	if fresh := q.reserve(messages, failed); q.cfg.Journal == nil {
		q.store(fresh)
	} else if len(fresh) > 0 {
		q.keep(ctx, fresh, failed)
	}
	if len(failed) > 0 {
		return &ports.SendError{Failed: failed}
	}
	return nil
}

// sending is a message that has room on the queue and is not on it yet.
type sending struct {
	*message
	sent  ports.QueueMessage
	place int // among the messages of its Send
}

// reserve takes room for the messages that have not failed, and records those for which
// there is none.
func (q *Queue) reserve(messages []ports.QueueMessage, failed map[int]error) []sending {
	now := q.enter()
	defer q.mu.Unlock()
	fresh := make([]sending, 0, len(messages))
	for i, m := range messages {
		if failed[i] != nil {
			continue
		}
		one := &message{id: uuid.NewString(), body: m.Body, sentAt: now, visibleAt: now.Add(m.Delay)}
		if !q.claim(one) {
			failed[i] = fmt.Errorf("%d of %d bytes used: %w", q.bytes, q.cfg.MaxBytes, ports.ErrQueueFull)
			continue
		}
		fresh = append(fresh, sending{one, m, i})
	}
	return fresh
}

// free frees the room of messages.
func (q *Queue) free(all []sending) {
	q.enter()
	defer q.mu.Unlock()
	for _, one := range all {
		q.bytes -= len(one.body)
	}
	q.settle()
}

// store puts messages that have room onto the queue.
func (q *Queue) store(all []sending) {
	now := q.enter()
	defer q.mu.Unlock()
	for _, one := range all {
		q.put(one.message, now)
	}
}

// claim takes room for a message, and reports whether there was enough.
func (q *Queue) claim(m *message) bool {
	if q.bytes+len(m.body) > q.cfg.MaxBytes {
		return false
	}
	q.bytes += len(m.body)
	return true
}

// put puts a message that was never received onto the queue.
func (q *Queue) put(m *message, now time.Time) {
	if m.visibleAt.After(now) {
		q.delayed++
		q.hide(m, m.visibleAt)
		return
	}
	q.show(m)
}
