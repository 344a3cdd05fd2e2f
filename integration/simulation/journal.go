package simulation

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// journal notes what happens in a run and what should not have happened.
type journal struct {
	out   io.Writer // gets every event as a line; nil: none does
	start time.Time

	mu     sync.Mutex
	sum    seed // the same for the same events at the same instants
	events int
	wrong  []string
	faults map[string]int // how many of each kind there were
	checks map[string]int // how often each promise was looked at
}

// fault counts something that went wrong as it was meant to.
func (j *journal) fault(kind string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.faults == nil {
		j.faults = make(map[string]int)
	}
	j.faults[kind]++
}

// checked counts that a promise was looked at.
func (j *journal) checked(promise string, times int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.checks == nil {
		j.checks = make(map[string]int)
	}
	j.checks[promise] += times
}

// event adds to the sum in a way that does not depend on the order in which
// events of one instant are noted.
func (j *journal) event(what string, about ...any) {
	at := time.Since(j.start)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events++
	j.sum += seed(at).of(append(about, what)...)
	if j.out != nil {
		fmt.Fprintf(j.out, "%14v %s %v\n", at, what, about)
	}
}

// Write notes a line of a log.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(line)
}

// broken notes that a promise was not kept.
func (j *journal) broken(format string, args ...any) {
	at := time.Since(j.start)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wrong = append(j.wrong, fmt.Sprintf("%v: ", at)+fmt.Sprintf(format, args...))
}
