package memqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"serverless-websocket/ports"
)

// Send puts the messages onto the queue in order. Messages that exceed a limit or for
// which there is no room are listed in a *ports.SendError and change nothing; the others
// are stored. The only other error is that of an ended context, and then none is stored.
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
	q.store(messages, failed)
	if len(failed) > 0 {
		return &ports.SendError{Failed: failed}
	}
	return nil
}

// store puts the messages that have not failed onto the queue, and records those for
// which there is no room.
func (q *Queue) store(messages []ports.QueueMessage, failed map[int]error) {
	now := q.enter()
	defer q.mu.Unlock()
	for i, m := range messages {
		if failed[i] != nil {
			continue
		}
		fresh := &message{id: uuid.NewString(), body: m.Body, sentAt: now}
		if !q.admit(fresh, now.Add(m.Delay), now) {
			failed[i] = fmt.Errorf("%d of %d bytes used: %w", q.bytes, q.cfg.MaxBytes, ports.ErrQueueFull)
		}
	}
}

// admit takes a message that is not on this queue yet and reports whether there
// was room for it.
func (q *Queue) admit(m *message, visibleAt, now time.Time) bool {
	if q.bytes+len(m.body) > q.cfg.MaxBytes {
		return false
	}
	q.bytes += len(m.body)
	if visibleAt.After(now) {
		q.delayed++
		q.hide(m, visibleAt)
		return true
	}
	q.show(m)
	return true
}
