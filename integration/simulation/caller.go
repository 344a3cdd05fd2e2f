package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// caller is one run of a function. The use cases pass their context to every port; from
// it the simulated ports know who is calling.
type caller struct {
	name   string
	clock  time.Duration // how far it is ahead
	cancel context.CancelFunc

	mu     sync.Mutex
	killed bool
	calls  map[string]calls
}

// calls counts the instants at which a call was made.
type calls struct {
	n    int
	last time.Time
}

type callerKey struct{}

// newCaller returns a caller and its context, which ends after the timeout. A longer run
// is killed an instant before, so that nothing it does at its deadline counts.
func newCaller(name string, timeout time.Duration) (*caller, context.Context) {
	c := &caller{
		name:  name,
		calls: make(map[string]calls),
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), callerKey{}, c), timeout)
	c.cancel = cancel
	return c, ctx
}

func callerOf(ctx context.Context) *caller {
	return ctx.Value(callerKey{}).(*caller)
}

// kill ends the run like a crash: from now on it has no effect.
func (c *caller) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	c.cancel()
}

func (c *caller) wasKilled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killed
}

// call returns a name for the call that is the same in every run of the seed. Two passes
// of one invocation can make the same call at the same instant and cannot be told apart:
// they get the same name, and so the same fate.
func (c *caller) call(what string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.calls[what]
	if now := time.Now(); seen.n == 0 || now.After(seen.last) {
		seen = calls{seen.n + 1, now}
		c.calls[what] = seen
	}
	return fmt.Sprintf("%s %s %d", c.name, what, seen.n)
}

// travel waits for a request or an answer to get through. On an error the caller is gone,
// and nothing further happens.
func travel(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err()
}
