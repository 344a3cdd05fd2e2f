package wsgateway

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestGoroutinesAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGoroutines()
		defer g.end()
		for range 3 {
			g.run(func() {})
			synctest.Wait()
		}
		if idle := g.idle.Load(); idle != 1 {
			t.Errorf("%d goroutines are idle, want the one that ran everything", idle)
		}
	})
}

// Blocked functions do not delay others, and the number of goroutines that are idle
// afterwards is limited.
func TestGoroutinesDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGoroutines()
		defer g.end()
		var all sync.WaitGroup
		all.Add(2 * mostIdle)
		for range 2 * mostIdle {
			g.run(func() {
				all.Done()
				all.Wait() // returns only if all of them run at once
			})
		}
		synctest.Wait()
		if idle := g.idle.Load(); idle != mostIdle {
			t.Errorf("%d goroutines are idle, want %d", idle, mostIdle)
		}
	})
}

func TestGoroutinesRunAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGoroutines()
		g.run(func() {})
		synctest.Wait()
		g.end()
		ran := make(chan struct{})
		g.run(func() { close(ran) })
		<-ran
	})
}
