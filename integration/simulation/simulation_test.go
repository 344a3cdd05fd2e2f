package simulation

import (
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
)

var (
	seeds = flag.Int("seeds", 500, "run the seeds from 0 up to this")
	only  = flag.Int("seed", -1, "run only this seed and show what happens in it")
	tell  = flag.Bool("report", false, "print what went wrong in all worlds and what was checked")
)

// kinds is the number of kinds of faults, and promises the number of promises checked.
const kinds, promises = 23, 18

func TestPromises(t *testing.T) {
	var all report
	if *only >= 0 {
		check(t, seed(*only), &all)
		return
	}
	t.Cleanup(func() { all.conclude(t) })
	for s := range *seeds {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			check(t, seed(s), &all)
		})
	}
}

// conclude fails if something was never tried.
func (r *report) conclude(t *testing.T) {
	if *tell {
		r.print(os.Stdout)
	}
	if r.worlds >= 100 && (len(r.faults) != kinds || len(r.checks) != promises) {
		t.Errorf("%d kinds of faults in %d worlds, want %d; %d promises, want %d: %v, %v",
			len(r.faults), r.worlds, kinds, len(r.checks), promises, r.faults, r.checks)
	}
}

func check(t *testing.T, s seed, all *report) {
	w := simulate(t, s)
	all.add(w)
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
	if t.Failed() {
		t.Logf("a run of kind %s; to repeat it: make simulate SEED=%d", w.plan.kind, s)
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

// TestRunsRepeat: a failing seed is useless if it does not fail again. The scheduler
// decides what goroutines do at the same instant, so some runs differ: about one in five,
// more on a busy machine.
func TestRunsRepeat(t *testing.T) {
	const runs = 60
	differ := 0
	for s := range seed(runs) {
		first, second := simulate(t, s), simulate(t, s)
		if first.sum != second.sum {
			differ++
		}
	}
	if differ > runs/2 {
		t.Errorf("%d of %d seeds ran in two different ways", differ, runs)
	}
}
