package fanout

import (
	"cmp"
	"sync"
	"time"
)

const (
	// telling is how many posts a pass must have made for its speed to tell
	// anything.
	telling = 1_000
	// remembered is for how long the size of the table is taken to be what it was.
	remembered = time.Minute
)

// throughput is what a worker's earlier passes saw: how many connections there are,
// and how many posts it makes in a second. It may be used concurrently.
type throughput struct {
	most float64          // posts that it can make in a second, its share of the quota; 0 if not known
	now  func() time.Time // time.Now if nil

	mu          sync.Mutex
	connections int
	seen        time.Time // when, by the wall clock; zero for never
	perSecond   float64
}

// learn notes the end of a scan: the size of the whole table, and how long the
// posts of the worker's own part took. Of a scan that is not over the size is the
// least that it can be.
func (p *throughput) learn(connections int, over bool, posts int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if over || connections > p.connections {
		p.connections, p.seen = connections, p.wallClock()
	}
	if posts >= telling && took > 0 {
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

// takes returns how long one worker takes for so many posts, 0 if that is not
// known. A short pass can live on a burst and seem faster than a long one can be.
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
