package simulation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// report adds up what happened and what was checked in many worlds.
type report struct {
	mu                                     sync.Mutex
	worlds, messages, accepted, deliveries int
	faults, checks                         map[string]int
	broken                                 int // worlds in which a promise was
}

// add adds a world that has been run.
func (r *report) add(w *world) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worlds++
	for _, m := range w.messages {
		r.messages++
		if !m.acceptedAt.IsZero() {
			r.accepted++
		}
	}
	for _, c := range w.clients {
		for _, at := range c.got {
			r.deliveries += len(at)
		}
	}
	if len(w.wrong) > 0 {
		r.broken++
	}
	r.faults, r.checks = sum(r.faults, w.faults), sum(r.checks, w.checks)
}

func sum(a, b map[string]int) map[string]int {
	all := make(map[string]int)
	for _, counts := range []map[string]int{a, b} {
		for name, n := range counts {
			all[name] += n
		}
	}
	return all
}

// print writes the report.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%d worlds: %d messages sent, %d accepted, %d deliveries\n\nWhat went wrong:\n",
		r.worlds, r.messages, r.accepted, r.deliveries)
	printCounts(out, r.faults)
	fmt.Fprintf(out, "\nWhat was checked, and how often:\n")
	printCounts(out, r.checks)
	fmt.Fprintf(out, "\nA promise was broken in %d of %d worlds.\n", r.broken, r.worlds)
}

func printCounts(out io.Writer, counts map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "%10d  %s\n", counts[name], name)
	}
}
