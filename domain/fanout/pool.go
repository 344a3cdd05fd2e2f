package fanout

import (
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// turn is for how long posts are made in a place one after the other before it
	// is given back, so that passes take turns.
	turn = 5 * time.Millisecond
	// retryTurn is the same for retries: where there is one place alone, they get a
	// sixth of the time.
	retryTurn = turn / 5
)

// pool has a worker's places for posts under way, for all its passes together.
type pool struct {
	all, retries chan struct{}
	// The functions that give a place back, made once: one made for each post
	// would be an allocation each.
	release, releaseRetry func()
}

// newPool returns a pool of n places. Passes over connections that have failed
// before and may be slow get a quarter of them at most, or the only one in turn with
// others, so that they do not hold up those who are served for the first time.
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
	post  func(i int) // makes one; called concurrently
	over  func() bool // reports whether to begin no other
	retry bool        // whether the connections have failed before
}

// start has the posts of the task made, and returns how many of them there was time
// to begin. In each place, posts are made one after the other: a goroutine for each
// costs more than a post within a process.
func (l pool) start(posts *errgroup.Group, t task) (begun int) {
	var next atomic.Int64
	for int(next.Load()) < t.n {
		release := l.acquire(t.retry)
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
	return min(t.n, int(next.Swap(int64(t.n))))
}

// takeTurn makes the post with the index, and then those that come next, for a
// turn.
func (t task) takeTurn(next *atomic.Int64, i int) {
	limit := turn
	if t.retry {
		limit = retryTurn
	}
	for began := time.Now(); i < t.n; i = int(next.Add(1)) - 1 {
		t.post(i)
		if time.Since(began) > limit || t.over() {
			return
		}
	}
}

// acquire waits for a place. The function it returns gives it back.
func (l pool) acquire(retry bool) (release func()) {
	if !retry {
		l.all <- struct{}{}
		return l.release
	}
	l.retries <- struct{}{}
	l.all <- struct{}{}
	return l.releaseRetry
}
