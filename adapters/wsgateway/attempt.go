package wsgateway

import (
	"sync"
	"time"
)

// attemptContext is the context of an attempt, whose alarm ends it. One of package context
// has a timer of its own, and more that most integrations never ask for.
type attemptContext struct {
	abandon alarm // set before anyone has the context

	mu   sync.Mutex
	done chan struct{} // nil before someone asks for it
	err  error         // nil before the end
}

// end ends the context with an error. Only the first counts.
func (c *attemptContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
}

func (c *attemptContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

func (c *attemptContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *attemptContext) Deadline() (time.Time, bool) { return c.abandon.due, true }

func (*attemptContext) Value(any) any { return nil }
