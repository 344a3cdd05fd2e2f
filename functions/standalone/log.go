package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"serverless-websocket/adapters/boundedlog"
)

const (
	// logBuffer is how many bytes of log wait for a reader that is slow.
	logBuffer = 4 << 20
	// logTimeout is how long a reader that has stalled may hold up the end.
	logTimeout = time.Second
)

// newLogger logs to w: text that is easy to read on a terminal, JSON for whatever
// collects logs elsewhere. Logging never waits for w; what waits for it is written
// when the Writer is closed.
func newLogger(s settings, w io.Writer) (*slog.Logger, *boundedlog.Writer) {
	handler := s.logHandler(isTerminal(w))
	bounded := boundedlog.NewWriter(w, logBuffer, func(dropped int) []byte {
		var line bytes.Buffer
		slog.New(handler(&line)).Warn("log lines dropped: their reader is too slow, or was gone", "lines", dropped)
		return line.Bytes()
	})
	return slog.New(boundedlog.Limit(handler(bounded), "connected", "disconnected", "refused")), bounded
}

func (s settings) logHandler(terminal bool) func(io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: s.logLevel}
	if s.logFormat == "text" || s.logFormat == "auto" && terminal {
		return func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, options) }
	}
	return func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, options) }
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
