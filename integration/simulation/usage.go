package simulation

import (
	"sync"
	"time"
)

// usage is how much the function was used in a run.
type usage struct {
	mu          sync.Mutex
	invocations int
	atOnce      int
	peak        int           // the maximum of atOnce
	busy        time.Duration // of all invocations together
}

// begin records the start of an invocation; the function it returns records its end.
func (u *usage) begin() (end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	started := time.Now()
	u.invocations++
	u.atOnce++
	u.peak = max(u.peak, u.atOnce)
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.atOnce--
		u.busy += time.Since(started)
	}
}

// begun returns the number of invocations.
func (u *usage) begun() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.invocations
}
