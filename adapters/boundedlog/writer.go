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

// Writer hands lines to another writer in its own goroutine. If that writer is too slow
// or broken, lines for which there is no room are dropped and counted; a line in the log
// says how many as soon as possible. It is safe for concurrent use.
type Writer struct {
	to     io.Writer
	limit  int
	note   func(dropped int) []byte
	filled chan struct{} // something is waiting, or the writer is closed
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

// Close writes the waiting lines, for at most the timeout. Later lines are dropped. It
// reports whether everything was written.
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

// run writes until the Writer is closed and nothing is waiting. When the other writer
// fails, its lines are lost and counted.
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

// take moves the waiting lines into a buffer, and reports whether there were any.
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
	_, _ = w.waiting.WriteTo(taken) // a buffer never fails
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
