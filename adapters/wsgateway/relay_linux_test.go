//go:build !386

package wsgateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// loop runs a relay over the steps, in the bubble of synctest.
type loop struct {
	relay
	steps   []func()
	entered int // how often a goroutine has begun to run the loop
}

func newLoop(steps ...func()) *loop {
	l := &loop{steps: steps}
	l.relay.goroutines, l.relay.loop = newGoroutines(), l.run
	return l
}

func (l *loop) run() {
	l.entered++
	for len(l.steps) > 0 {
		f := l.steps[0]
		l.steps = l.steps[1:]
		if !l.step(f) {
			return
		}
	}
}

func quick()  {}
func slowly() { time.Sleep(10 * time.Millisecond) }

func TestQuickStepsStayInTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var after time.Duration
		start := time.Now()
		l := newLoop(quick, func() { time.Sleep(quickStep) }, quick, func() { after = time.Since(start) })
		defer l.goroutines.end()
		l.run()
		if after != quickStep {
			t.Errorf("the last began after %v", after)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		const unseen = 99
		l.seen = unseen
		time.Sleep(time.Second)
		synctest.Wait()
		if l.entered != 1 || l.armed.Load() || l.seen != unseen {
			t.Errorf("entered %d times, checks go on: %t, %t", l.entered, l.armed.Load(), l.seen != unseen)
		}
	})
}

// A step that never ends keeps the next ones waiting for a moment only.
func TestAnotherGoroutineTakesOverTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, ran := make(chan struct{}), make(chan time.Duration, 2)
		start := time.Now()
		tell := func() { ran <- time.Since(start) }
		l := newLoop(quick, func() { <-stuck }, tell, tell)
		defer l.goroutines.end()
		ended := make(chan struct{})
		go func() { l.run(); close(ended) }()
		for range 2 {
			if after := <-ran; after > 3*relayAfter {
				t.Errorf("ran after %v", after)
			}
		}
		close(stuck)
		<-ended
		synctest.Wait()
		if l.entered != 2 || len(l.steps) > 0 {
			t.Errorf("entered %d times, %d steps left", l.entered, len(l.steps))
		}
	})
}

// Slow steps run at the same time. Once there are quick ones again, these stay in the loop.
func TestSlowStepsRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		defer l.goroutines.end()
		for range 1000 {
			l.steps = append(l.steps, slowly)
		}
		start := time.Now()
		l.run()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if len(l.steps) > 0 {
			t.Errorf("after %v, %d are left", time.Since(start), len(l.steps))
		}
		entered := l.entered
		l.steps = append(l.steps, quick)
		l.run()
		for range 2 * averaged { // each on a goroutine of its own until the mean is low
			l.steps = append(l.steps, quick)
			l.run()
			synctest.Wait()
		}
		inLoop := false
		l.steps = append(l.steps, func() { inLoop = l.count.Load()%2 == 1 })
		l.run()
		if !inLoop || entered < 2 {
			t.Errorf("in the loop: %t; entered %d times", inLoop, entered)
		}
		time.Sleep(time.Second)
	})
}
