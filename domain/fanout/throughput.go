package fanout

import (
	"cmp"
	"sync"
	"time"
)

const (
	// minSample is the fewest posts of a pass by which to judge the worker's speed.
	minSample = 1_000
	// remembered is how long the worker counts on a size of the table that it saw.
	remembered = time.Minute
)

// throughput is what a worker learned from earlier passes: how many connections there
// are, and how many posts it makes a second. It may be used concurrently.
type throughput struct {
	most float64          // posts a second that it can make, its share of the quota; 0 if not known
	now  func() time.Time // time.Now if nil

	mu          sync.Mutex
	connections int
	seen        time.Time // when, by the wall clock; zero for never
	perSecond   float64
}

// learnSize notes how many connections the table has: exactly, or at least.
func (t *throughput) learnSize(connections int, exactly bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if exactly || connections > t.connections || connections > 0 && !t.fresh() {
		t.connections, t.seen = connections, t.wallClock()
	}
}

// learnSpeed notes how long the posts of a pass took, unless they were too few to
// judge by.
func (t *throughput) learnSpeed(posts int, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if posts >= minSample && took > 0 {
		t.perSecond = float64(posts) / took.Seconds()
	}
}

// tableSize returns how many connections there are, if that is known.
func (t *throughput) tableSize() (connections int, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connections, t.fresh()
}

// fresh reports whether the size was seen lately. The caller holds t.mu.
func (t *throughput) fresh() bool {
	age := t.wallClock().Sub(t.seen)
	return 0 <= age && age < remembered
}

// wallClock returns the time without the reading of the monotonic clock, which
// stands still while a Lambda is frozen.
func (t *throughput) wallClock() time.Time {
	if t.now != nil {
		return t.now().Round(0)
	}
	return time.Now().Round(0)
}

// takes returns how long the posts take one worker, 0 if that is not known. A short
// pass can live on a burst, and seem faster than a long one can be.
func (t *throughput) takes(posts int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	perSecond := cmp.Or(t.perSecond, t.most)
	if t.most > 0 {
		perSecond = min(perSecond, t.most)
	}
	if perSecond == 0 {
		return 0
	}
	return time.Duration(float64(posts) / perSecond * float64(time.Second))
}
