package wsgateway

import (
	"container/list"
	"sync"
)

// budget limits what clients have started but not finished: handshakes or messages.
// When it is exhausted, the oldest claim is evicted: an active client soon finishes,
// a stuck one only gets older. It is safe for concurrent use.
type budget struct {
	limit int

	mu     sync.Mutex
	used   int
	oldest list.List // of *claim
	closed bool
}

// claim is a share of a budget.
type claim struct {
	budget  *budget
	amount  int
	evict   func()
	element *list.Element // nil once released or evicted
}

// claim takes an amount from the budget. To make room, it evicts the oldest claims
// before it returns, possibly the new one too. evict is called without locks.
func (b *budget) claim(amount int, evict func()) *claim {
	c := &claim{budget: b, evict: evict}
	b.mu.Lock()
	c.element = b.oldest.PushBack(c)
	b.mu.Unlock()
	c.grow(amount)
	return c
}

// grow adds to the claim. It does nothing if the claim has been evicted.
func (c *claim) grow(amount int) {
	b := c.budget
	b.mu.Lock()
	if c.element != nil {
		c.amount += amount
		b.used += amount
	}
	evicted := b.over()
	b.mu.Unlock()
	for _, e := range evicted {
		e.evict()
	}
}

// over removes the oldest claims until the rest fit. The caller holds b.mu.
func (b *budget) over() (evicted []*claim) {
	for b.used > b.limit || b.closed && b.oldest.Len() > 0 {
		c := b.oldest.Front().Value.(*claim)
		b.remove(c)
		evicted = append(evicted, c)
	}
	return evicted
}

func (b *budget) remove(c *claim) {
	b.oldest.Remove(c.element)
	c.element = nil
	b.used -= c.amount
}

// release returns the claim's amount. It reports false if there is none any more: then
// evict has been called, or will be at any time. Further calls do nothing.
func (c *claim) release() bool {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	if c.element == nil {
		return false
	}
	c.budget.remove(c)
	return true
}

// close evicts all claims, including future ones.
func (b *budget) close() {
	b.mu.Lock()
	b.closed = true
	evicted := b.over()
	b.mu.Unlock()
	for _, c := range evicted {
		c.evict()
	}
}
