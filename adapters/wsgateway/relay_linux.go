//go:build !386

package wsgateway

import (
	"sync/atomic"
	"time"
)

const (
	// relayAfter is how long a step can take before another goroutine takes over the loop,
	// at most twice that.
	relayAfter = 2 * time.Millisecond
	// quickStep is how long steps can take on average to run in the loop.
	quickStep = 100 * time.Microsecond
	// slowStep is the most that a step counts in the average: on a busy machine, any step
	// can be slow now and then.
	slowStep = 4 * quickStep
	// averaged is how many steps the average is about.
	averaged = 16
)

// relay runs the steps of a loop, which one goroutine at a time is in. As long as they are
// quick, they run there. When one takes long, another goroutine takes over the loop. While
// they are slow, each runs on a goroutine of its own.
type relay struct {
	goroutines *goroutines
	loop       func() // ends when step returns false

	count atomic.Uint64 // of beginnings and ends of steps in the loop: odd while one runs
	mean  atomic.Int64  // duration of a step, in nanoseconds: a moving average
	armed atomic.Bool   // check is due
	seen  uint64        // the count at the last check
}

// step reports whether the caller is still in the loop.
func (r *relay) step(f func()) bool {
	if r.mean.Load() > int64(quickStep) {
		r.goroutines.run(func() { r.time(f) })
		return true
	}
	n := r.count.Add(1)
	if !r.armed.Load() && !r.armed.Swap(true) {
		time.AfterFunc(relayAfter, r.check)
	}
	r.time(f)
	return r.count.CompareAndSwap(n, n+1)
}

func (r *relay) time(f func()) {
	start := time.Now()
	f()
	r.took(time.Since(start))
}

func (r *relay) took(d time.Duration) {
	mean := r.mean.Load()
	r.mean.Store(mean + (int64(min(d, slowStep))-mean)/averaged) // of concurrent ones, the last counts
}

// check has another goroutine take over the loop if it is still in the step that the last
// check saw. There are no more checks when no step has begun since.
func (r *relay) check() {
	n := r.count.Load()
	if inStep := n%2 == 1; n == r.seen && inStep && r.count.CompareAndSwap(n, n+1) {
		r.took(slowStep)
		go r.loop()
	} else if n == r.seen && !inStep && r.rest(n) {
		return
	}
	r.seen = n
	time.AfterFunc(relayAfter, r.check)
}

// rest reports whether no step has begun since there were n, or that one will be checked.
func (r *relay) rest(n uint64) bool {
	r.armed.Store(false)
	return r.count.Load() == n || r.armed.Swap(true)
}
