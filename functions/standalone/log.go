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
	// logBuffer is how many bytes of log can wait for a slow reader.
	logBuffer = 4 << 20
	// logTimeout is how long a stalled reader can delay the exit.
	logTimeout = time.Second
)

// newLogger logs to w: readable text on a terminal, JSON for log collectors elsewhere.
// Logging never waits for w; lines still waiting are written when the Writer is closed.
func newLogger(s settings, w io.Writer) (*slog.Logger, *boundedlog.Writer) {
	handler := s.logHandler(isTerminal(w))
	bounded := boundedlog.NewWriter(w, logBuffer, func(dropped int) []byte {
		var line bytes.Buffer
		slog.New(handler(&line)).Warn("log lines dropped; the reader was too slow or gone", "lines", dropped)
		return line.Bytes()
	})
	return slog.New(boundedlog.Limit(handler(bounded), "connected", "disconnected", "refused", "handshake refused")), bounded
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
