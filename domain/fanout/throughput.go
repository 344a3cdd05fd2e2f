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
func (p *throughput) learnSize(connections int, exactly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if exactly || connections > p.connections {
		p.connections, p.seen = connections, p.wallClock()
	}
}

// learnSpeed notes how long the posts of a pass took, unless they were too few to
// judge by.
func (p *throughput) learnSpeed(posts int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if posts >= minSample && took > 0 {
		p.perSecond = float64(posts) / took.Seconds()
	}
}

// tableSize returns how many connections there are, if that is known.
func (p *throughput) tableSize() (connections int, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := p.wallClock().Sub(p.seen)
	return p.connections, 0 <= age && age < remembered
}

// wallClock returns the time without the reading of the monotonic clock, which
// stands still while a Lambda is frozen.
func (p *throughput) wallClock() time.Time {
	if p.now != nil {
		return p.now().Round(0)
	}
	return time.Now().Round(0)
}

// takes returns how long the posts take one worker, 0 if that is not known. A short
// pass can live on a burst, and seem faster than a long one can be.
func (p *throughput) takes(posts int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	perSecond := cmp.Or(p.perSecond, p.most)
	if p.most > 0 {
		perSecond = min(perSecond, p.most)
	}
	if perSecond == 0 {
		return 0
	}
	return time.Duration(float64(posts) / perSecond * float64(time.Second))
}
