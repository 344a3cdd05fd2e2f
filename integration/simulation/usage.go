package simulation

import (
	"sync"
	"time"
)

// usage is what the function was used in a run.
type usage struct {
	mu          sync.Mutex
	invocations int
	atOnce      int
	peak        int           // the most that atOnce was
	busy        time.Duration // of all invocations together
}

// begin notes that an invocation begins; what it returns, that it ends.
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

// begun returns how many invocations there were.
func (u *usage) begun() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.invocations
}
