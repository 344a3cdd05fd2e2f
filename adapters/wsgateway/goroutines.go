package wsgateway

import (
	"sync"
	"sync/atomic"
)

// mostIdle is the maximum number of goroutines that wait for the next function.
const mostIdle = 64

// goroutines runs functions, each on a goroutine of its own. It reuses idle
// goroutines, because a new one has to grow its stack first, which took a twelfth of
// the time of a handshake. It is safe for concurrent use.
type goroutines struct {
	next  chan func()
	idle  atomic.Int32
	ended chan struct{}

	// end stops the idle goroutines, and others as soon as they become idle.
	end func()
}

func newGoroutines() *goroutines {
	g := &goroutines{next: make(chan func()), ended: make(chan struct{})}
	g.end = sync.OnceFunc(func() { close(g.ended) })
	return g
}

// run starts f and returns at once.
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
