package broadcast

import (
	"cmp"
	"sync"
	"time"
)

// telling is how many connections a pass must have gone over for its speed to
// tell anything.
const telling = 1_000

// pace is what a worker's earlier passes saw: how many connections there are,
// and how many of them it serves in a second. It may be used concurrently.
type pace struct {
	most float64 // that it can serve in a second; 0 if not known

	mu          sync.Mutex
	known       bool
	connections int
	perSecond   float64
}

// learn notes the end of a scan: the size of the whole table, and how long the
// worker took for its own part. Of a scan that is not over the size is the least
// that it can be.
func (p *pace) learn(connections int, over bool, served int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if over || connections > p.connections {
		p.connections, p.known = connections, true
	}
	if served >= telling && took > 0 {
		p.perSecond = float64(served) / took.Seconds()
	}
}

// passTakes returns how long one worker takes for the whole table, if anything is
// known of that.
func (p *pace) passTakes() (takes time.Duration, known bool) {
	p.mu.Lock()
	connections, known := p.connections, p.known
	p.mu.Unlock()
	return p.takes(connections), known
}

// takes returns how long one worker takes for so many connections, 0 if that is
// not known. A short pass can live on a burst and seem faster than a long one can
// be.
func (p *pace) takes(connections int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	perSecond := cmp.Or(p.perSecond, p.most)
	if p.most > 0 {
		perSecond = min(perSecond, p.most)
	}
	if perSecond == 0 {
		return 0
	}
	return time.Duration(float64(connections) / perSecond * float64(time.Second))
}
