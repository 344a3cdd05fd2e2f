package wsgateway

import (
	"sync"
	"sync/atomic"
)

// mostIdle is how many goroutines wait for the next function at most.
const mostIdle = 64

// goroutines runs functions, each on a goroutine that nothing else runs on. Those
// that have become idle are used again, since the stack of a new one has to grow
// first: that was a twelfth of what a handshake costs. It may be used concurrently.
type goroutines struct {
	next  chan func()
	idle  atomic.Int32
	ended chan struct{}

	// end has idle goroutines end, now and from now on.
	end func()
}

func newGoroutines() *goroutines {
	g := &goroutines{next: make(chan func()), ended: make(chan struct{})}
	g.end = sync.OnceFunc(func() { close(g.ended) })
	return g
}

// run returns at once.
func (g *goroutines) run(f func()) {
	select {
	case g.next <- f:
	default:
		go g.work(f)
	}
}

func (g *goroutines) work(f func()) {
	for {
		f()
		if g.idle.Add(1) > mostIdle {
			g.idle.Add(-1)
			return
		}
		select {
		case f = <-g.next:
			g.idle.Add(-1)
		case <-g.ended:
			return
		}
	}
}
