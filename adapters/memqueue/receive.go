package memqueue

import (
	"container/list"
	"context"
	"time"
)

// Receive waits until a message is visible and returns all visible messages, at most
// limit of them and within ReceiveBytes, in the order in which they became visible. The
// only error is that of the context, and then nothing is received.
func (q *Queue) Receive(ctx context.Context, limit int) ([]Message, error) {
	q.mu.Lock()
	q.turnOver()
	q.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			q.signal() // it may have taken the token that another is waiting for
			return nil, err
		}
		if batch := q.take(limit); len(batch) > 0 {
			return batch, nil
		}
		select {
		case <-q.visible:
		case <-ctx.Done():
		}
	}
}

// take takes the visible messages within the limits, and at least one, however long it
// is.
func (q *Queue) take(limit int) []Message {
	now := q.enter()
	defer q.mu.Unlock()
	batch, bytes := make([]Message, 0, min(max(limit, 1), q.ready.Len())), 0
	for len(batch) < cap(batch) {
		next := q.ready.Front()
		if bytes += len(next.Value.(*message).body); bytes > q.cfg.ReceiveBytes && len(batch) > 0 {
			break
		}
		batch = append(batch, q.hand(next, now))
	}
	if q.ready.Len() > 0 {
		q.signal() // for the next waiter: there was one token for all
	}
	return batch
}

// hand hands out one visible message and hides it.
func (q *Queue) hand(element *list.Element, now time.Time) Message {
	m := q.ready.Remove(element).(*message)
	m.element = nil
	delete(q.receipts, m.receipt)
	m.received(now)
	q.receipts[m.receipt] = m
	q.hide(m, now.Add(q.cfg.Visibility))
	return m.snapshot()
}

// Delete removes the messages whose latest receive has one of the receipts, even
// if their visibility has run out since. An older receipt, or one of a message
// that is gone, does nothing. The error is always nil.
func (q *Queue) Delete(receipts ...string) error {
	q.enter()
	defer q.mu.Unlock()
	for _, receipt := range receipts {
		if m := q.receipts[receipt]; m != nil {
			q.remove(m)
		}
	}
	q.settle()
	return nil
}

// ChangeVisibility makes messages in flight visible again after d from now, instead of
// when their visibility timeout ends. Other receipts do nothing. The error is always nil.
func (q *Queue) ChangeVisibility(d time.Duration, receipts ...string) error {
	now := q.enter()
	defer q.mu.Unlock()
	for _, receipt := range receipts {
		if m := q.receipts[receipt]; m != nil && m.element == nil {
			q.unhide(m)
			q.hide(m, now.Add(d))
		}
	}
	return nil
}

// VisibilityTimeout returns the Visibility of the Config.
func (q *Queue) VisibilityTimeout() time.Duration { return q.cfg.Visibility }

// remove takes a received message off the queue.
func (q *Queue) remove(m *message) {
	if m.element != nil {
		q.ready.Remove(m.element)
	} else {
		q.unhide(m)
	}
	delete(q.receipts, m.receipt)
	q.bytes -= len(m.body)
	if q.cfg.Journal != nil {
		q.cfg.Journal.Forget(m.key)
	}
}
