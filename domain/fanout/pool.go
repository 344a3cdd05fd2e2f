package fanout

import (
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// pool has the slots for posts under way, for all passes of a worker together. The few
// posts of a probe need none.
type pool struct {
	all, retries chan struct{}
	// The functions that free a slot, made once: one for each post would be an
	// allocation each.
	release, releaseRetry func()
}

// newPool returns a pool of n slots. Retries get a quarter of them, and at least one: slow
// connections must not hold up those that are served for the first time.
func newPool(n int) pool {
	all, retries := make(chan struct{}, n), make(chan struct{}, max(1, n/4))
	return pool{
		all:     all,
		retries: retries,
		release: func() { <-all },
		releaseRetry: func() {
			<-all
			<-retries
		},
	}
}

// task is n posts for a pool to make.
type task struct {
	n     int
	post  func(i int)   // makes one; called concurrently
	over  func() bool   // reports whether to begin no more
	turn  time.Duration // how long posts follow each other in one slot
	retry bool          // whether the connections failed before
}

// start starts the posts of the task and returns how many there was time to begin.
// In each slot, posts follow one another: a goroutine for each costs more than a post
// within a process.
func (p pool) start(posts *errgroup.Group, t task) (begun int) {
	var next atomic.Int64
	for int(next.Load()) < t.n {
		release := p.acquire(t.retry)
		first := t.n
		if !t.over() {
			first = int(next.Add(1)) - 1
		}
		if first >= t.n {
			release()
			break
		}
		posts.Go(func() error {
			defer release()
			t.takeTurn(&next, first)
			return nil
		})
	}
	return min(t.n, int(next.Swap(int64(t.n)))) // which also ends the turns under way
}

// takeTurn makes the post with index i, and then the next ones for a turn.
func (t task) takeTurn(next *atomic.Int64, i int) {
	for began := time.Now(); i < t.n; i = int(next.Add(1)) - 1 {
		t.post(i)
		if time.Since(began) > t.turn || t.over() {
			return
		}
	}
}

// acquire waits for a slot. The function it returns frees it.
func (p pool) acquire(retry bool) (release func()) {
	if !retry {
		p.all <- struct{}{}
		return p.release
	}
	p.retries <- struct{}{}
	p.all <- struct{}{}
	return p.releaseRetry
}
