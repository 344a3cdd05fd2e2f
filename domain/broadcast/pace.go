package broadcast

import (
	"math"
	"sync"
	"time"
)

const (
	// telling is how many connections a pass must have gone over for its speed to
	// tell anything.
	telling = 1_000
	// maxSegments bounds how finely a table is split.
	maxSegments = 100
)

// pace is what a worker's earlier passes saw: how many connections there are,
// and how many of them it serves in a second. It may be used concurrently.
type pace struct {
	mu          sync.Mutex
	connections int
	perSecond   float64
}

// learn notes a finished scan: the size of the whole table, and how long the
// worker took for its own part.
func (p *pace) learn(connections, served int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connections = connections
	if served >= telling && took > 0 {
		p.perSecond = float64(served) / took.Seconds()
	}
}

// segments returns into how many jobs to split the table so that each takes a
// worker about as long as passTime. While nothing is known it is one.
func (p *pace) segments(passTime time.Duration) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.perSecond == 0 {
		return 1
	}
	passes := float64(p.connections) / p.perSecond / passTime.Seconds()
	return min(max(1, int(math.Ceil(passes))), maxSegments)
}
