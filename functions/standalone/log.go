package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLogger logs to w: text that is easy to read on a terminal, JSON for
// whatever collects logs elsewhere.
func newLogger(s settings, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.logLevel)); err != nil {
		return nil, fmt.Errorf("invalid value %q for -log-level", s.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case s.logFormat == "text" || s.logFormat == "auto" && isTerminal(w):
		return slog.New(slog.NewTextHandler(w, options)), nil
	case s.logFormat == "json" || s.logFormat == "auto":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("invalid value %q for -log-format", s.logFormat)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
