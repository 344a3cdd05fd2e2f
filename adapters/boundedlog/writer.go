// Package boundedlog keeps logging from hurting the program that logs: a reader of
// the log that stalls or dies never blocks it, and a client that provokes line
// after line does not fill the disk.
package boundedlog

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Writer hands lines to another writer in a goroutine of its own. Lines for which
// there is no room, since that writer is too slow or broken, are dropped and
// counted; a line in the log says how many, once it can. It may be used
// concurrently.
type Writer struct {
	to     io.Writer
	limit  int
	note   func(dropped int) []byte
	filled chan struct{} // something waits, or the writer is closed
	ended  chan struct{}

	mu      sync.Mutex
	waiting bytes.Buffer
	dropped int
	closed  bool
}

// NewWriter returns a Writer that holds at most limit bytes. The note is the line
// that says how many lines were dropped.
func NewWriter(to io.Writer, limit int, note func(dropped int) []byte) *Writer {
	w := &Writer{to: to, limit: limit, note: note, filled: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes one line. It neither waits nor fails.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.waiting.Len()+len(line) > w.limit {
		w.dropped++
		return len(line), nil
	}
	w.waiting.Write(line)
	w.signal()
	return len(line), nil
}

// Close writes what waits, for as long as the timeout at most. Later lines are
// dropped. It reports whether all was written.
func (w *Writer) Close(timeout time.Duration) bool {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	select {
	case <-w.ended:
		return true
	case <-time.After(timeout):
		return false
	}
}

func (w *Writer) signal() {
	select {
	case w.filled <- struct{}{}:
	default:
	}
}

// run writes until the Writer is closed and nothing waits. Errors of the other
// writer lose what it was given: there is nobody to tell.
func (w *Writer) run() {
	defer close(w.ended)
	var taken bytes.Buffer
	for range w.filled {
		for w.take(&taken) {
			if _, err := w.to.Write(taken.Bytes()); err != nil {
				w.lose(taken.Bytes())
			}
		}
		if w.over() {
			return
		}
	}
}

// take moves what waits into a buffer, and reports whether that was anything.
func (w *Writer) take(taken *bytes.Buffer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken.Reset()
	if w.waiting.Len() == 0 {
		return false
	}
	if w.dropped > 0 {
		taken.Write(w.note(w.dropped))
		w.dropped = 0
	}
	_, _ = w.waiting.WriteTo(taken) // a buffer takes everything
	return true
}

// lose counts the lines that could not be written.
func (w *Writer) lose(lines []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped += bytes.Count(lines, []byte("\n"))
}

func (w *Writer) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed && w.waiting.Len() == 0
}
