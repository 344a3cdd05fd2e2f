package memqueue

import (
	"container/heap"
	"time"
)

// hidden is a heap of messages by the time at which they become visible; at the same
// time, they keep the order in which they were hidden.
type hidden []*message

func (h hidden) Len() int { return len(h) }

func (h hidden) Less(i, j int) bool {
	if !h[i].visibleAt.Equal(h[j].visibleAt) {
		return h[i].visibleAt.Before(h[j].visibleAt)
	}
	return h[i].order < h[j].order
}

func (h hidden) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *hidden) Push(x any) {
	m := x.(*message)
	m.index = len(*h)
	*h = append(*h, m)
}

func (h *hidden) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return m
}

// hide makes a message invisible until visibleAt.
func (q *Queue) hide(m *message, visibleAt time.Time) {
	q.hides++
	m.order, m.visibleAt = q.hides, visibleAt
	heap.Push(&q.hidden, m)
	q.alarm.by(visibleAt, q.ring)
}

func (q *Queue) unhide(m *message) { heap.Remove(&q.hidden, m.index) }
