package simulation

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// journal records what happens in a run and what should not have happened.
type journal struct {
	out   io.Writer // gets every event as a line, if not nil
	start time.Time

	mu     sync.Mutex
	sum    seed // the same for the same events at the same instants
	events int
	wrong  []string
	faults map[string]int // how many of each kind there were
	checks map[string]int // how often each promise was checked
}

// fault counts an intended failure.
func (j *journal) fault(kind string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.faults == nil {
		j.faults = make(map[string]int)
	}
	j.faults[kind]++
}

// checked counts a check of a promise.
func (j *journal) checked(promise string, times int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.checks == nil {
		j.checks = make(map[string]int)
	}
	j.checks[promise] += times
}

// event adds to the sum independently of the order in which events of one instant are
// recorded.
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

// Write records a log line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(line)
}

// broken records a broken promise.
func (j *journal) broken(format string, args ...any) {
	at := time.Since(j.start)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wrong = append(j.wrong, fmt.Sprintf("%v: ", at)+fmt.Sprintf(format, args...))
}
