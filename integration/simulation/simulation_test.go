package simulation

import (
	"flag"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
)

var (
	seeds = flag.Int("seeds", 1000, "run the seeds from 0 up to this")
	only  = flag.Int("seed", -1, "run this seed alone and show what happens in it")
)

func TestPromises(t *testing.T) {
	if *only >= 0 {
		check(t, seed(*only))
		return
	}
	for s := range *seeds {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			check(t, seed(s))
		})
	}
}

func check(t *testing.T, s seed) {
	w := simulate(t, s)
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
	if t.Failed() {
		t.Logf("a run of kind %s; to see it again: make simulate SEED=%d", w.plan.kind, s)
	}
}

func simulate(t *testing.T, s seed) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		var out io.Writer
		if *only >= 0 {
			out = t.Output()
		}
		w = newWorld(s, newPlan(s), out)
		w.run()
	})
	return w
}

// TestRunsRepeat: a seed that fails is good for nothing if it does not fail
// again. What goroutines do at one and the same instant is up to the scheduler,
// so that a few runs may differ.
func TestRunsRepeat(t *testing.T) {
	const runs = 60
	differ := 0
	for s := range seed(runs) {
		first, second := simulate(t, s), simulate(t, s)
		if first.sum != second.sum {
			differ++
		}
	}
	if differ > runs/6 {
		t.Errorf("%d of %d seeds ran in two ways", differ, runs)
	}
}
