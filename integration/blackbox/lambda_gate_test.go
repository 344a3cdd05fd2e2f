package blackbox

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// gate holds up posts to clients, from the n-th on, until it is opened or loses them.
type gate struct {
	n       int32
	posts   atomic.Int32
	held    atomic.Int32  // how many are waiting
	reached chan struct{} // closed by the n-th
	opened  chan struct{}
	lost    chan struct{}
}

func newGate(n int32) *gate {
	return &gate{n: n, reached: make(chan struct{}), opened: make(chan struct{}), lost: make(chan struct{})}
}

// await waits until the n-th post is held.
func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.reached:
	case <-time.After(patience):
		t.Fatalf("%d posts arrived, want %d", g.posts.Load(), g.n)
	}
}

func (g *gate) open() { close(g.opened) }

// lose aborts the waiting posts, and lets later ones pass.
func (g *gate) lose() { close(g.lost) }

func (g *gate) pass(r *http.Request) {
	i := g.posts.Add(1)
	if i == g.n {
		close(g.reached)
	}
	if i >= g.n && !g.isLost() {
		g.held.Add(1)
		defer g.held.Add(-1)
		select {
		case <-g.opened:
		case <-g.lost:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
		}
	}
}

func (g *gate) isLost() bool {
	select {
	case <-g.lost:
		return true
	default:
		return false
	}
}
