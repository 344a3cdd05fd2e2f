package boundedlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many records with the same text pass at once, and then per second.
const (
	burst     = 100
	perSecond = 10
)

// Limit returns a handler that limits records with any of the texts: those that clients
// can provoke without end. It counts what it leaves out: the next such record that passes
// has the number as "alike".
func Limit(to slog.Handler, texts ...string) slog.Handler {
	limits := make(map[string]*limit)
	for _, text := range texts {
		limits[text] = &limit{Limiter: rate.NewLimiter(perSecond, burst)}
	}
	return &limited{to, limits}
}

type limited struct {
	slog.Handler
	limits map[string]*limit // by text
}

func (l *limited) Handle(ctx context.Context, r slog.Record) error {
	if one := l.limits[r.Message]; one != nil {
		left, pass := one.admit(r.Time)
		if !pass {
			return nil
		}
		if left > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("alike", left))
		}
	}
	return l.Handler.Handle(ctx, r)
}

func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{l.Handler.WithAttrs(attrs), l.limits}
}

func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{l.Handler.WithGroup(name), l.limits}
}

// limit is the limit on records with one text.
type limit struct {
	*rate.Limiter
	mu   sync.Mutex
	left int // out, since the last that passed
}

// admit reports whether a record passes, and how many were left out before it.
func (l *limit) admit(now time.Time) (left int, pass bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.AllowN(now, 1) {
		l.left++
		return 0, false
	}
	left, l.left = l.left, 0
	return left, true
}
