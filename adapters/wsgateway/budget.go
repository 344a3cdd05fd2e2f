package wsgateway

import (
	"container/list"
	"sync"
)

// budget bounds what clients have begun and not finished, handshakes or messages.
// When it is used up, the oldest claim is evicted: a client that is at it is soon
// done, and one that never will be gets old. It may be used concurrently.
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

// claim takes an amount from the budget. What has to be evicted for it, this one
// perhaps, is evicted before claim returns. The function is called without locks.
func (b *budget) claim(amount int, evict func()) *claim {
	c := &claim{budget: b, evict: evict}
	b.mu.Lock()
	c.element = b.oldest.PushBack(c)
	b.mu.Unlock()
	c.grow(amount)
	return c
}

// grow takes a further amount. It does nothing once the claim is evicted.
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

// over removes the oldest claims until the others fit. The caller holds b.mu.
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

// release gives the claim's amount back. It may be called again.
func (c *claim) release() {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	if c.element != nil {
		c.budget.remove(c)
	}
}

// close evicts all claims, those to come included.
func (b *budget) close() {
	b.mu.Lock()
	b.closed = true
	evicted := b.over()
	b.mu.Unlock()
	for _, c := range evicted {
		c.evict()
	}
}
