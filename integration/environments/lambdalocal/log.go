package lambdalocal

import (
	"bytes"
	"io"
	"sync"
)

// log collects the lines of all environments of a function.
type log struct {
	tee io.Writer // may be nil

	mu   sync.Mutex
	kept bytes.Buffer
}

func (l *log) add(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept.Write(lines)
	if l.tee != nil {
		_, _ = l.tee.Write(lines) // a log cannot report its own errors
	}
}

// String returns all lines so far.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}

// lines takes the output stream of one process and adds it to the log in whole lines, so
// that the lines of several processes do not mix. It is for one goroutine.
type lines struct {
	log  *log
	rest []byte // of a line that is not complete
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	if end := bytes.LastIndexByte(l.rest, '\n') + 1; end > 0 {
		l.log.add(l.rest[:end])
		l.rest = append([]byte(nil), l.rest[end:]...)
	}
	return len(p), nil
}

// flush adds the process's last, incomplete line.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.log.add(append(l.rest, '\n'))
	}
}
