package memqueue

import (
	"context"
	"fmt"

	"serverless-websocket/ports"
)

// below is the queue for senders that may use only a part of it.
type below struct {
	*Queue
	maxBytes int
}

// Below returns the queue for senders whose messages are refused, all of one
// Send with ports.ErrQueueFull, while it holds maxBytes bytes of bodies or more.
// It keeps the rest free for senders that must not be refused.
func (q *Queue) Below(maxBytes int) ports.Queue { return below{q, maxBytes} }

// Send is Queue.Send with the lower limit.
func (b below) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	if held := b.held(); held >= b.maxBytes {
		failed := make(map[int]error, len(messages))
		for i := range messages {
			failed[i] = fmt.Errorf("%d of %d bytes used: %w", held, b.maxBytes, ports.ErrQueueFull)
		}
		return &ports.SendError{Failed: failed}
	}
	return b.Queue.Send(ctx, messages...)
}

// held returns how many bytes of bodies the queue holds.
func (q *Queue) held() int {
	q.enter()
	defer q.mu.Unlock()
	return q.bytes
}
