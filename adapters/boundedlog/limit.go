package boundedlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits on records with one text: so many at once, and then so many a second.
const (
	burst     = 100
	perSecond = 10
)

// Limit returns a handler that passes on only some of many records with the same
// level and text. What it leaves out is counted: the next record that it passes on
// says how many there were, as "alike". Errors and warnings are not exempt, since
// a flood of those hides the others too. Texts must be few: they are remembered.
func Limit(to slog.Handler) slog.Handler {
	return &limited{Handler: to, texts: &texts{limits: make(map[text]*limit)}}
}

type limited struct {
	slog.Handler
	texts *texts
}

func (l *limited) Handle(ctx context.Context, r slog.Record) error {
	left, pass := l.texts.admit(text{r.Level, r.Message}, r.Time)
	if !pass {
		return nil
	}
	if left > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("alike", left))
	}
	return l.Handler.Handle(ctx, r)
}

func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{l.Handler.WithAttrs(attrs), l.texts}
}

func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{l.Handler.WithGroup(name), l.texts}
}

// text is what alike records have in common.
type text struct {
	level   slog.Level
	message string
}

type texts struct {
	mu     sync.Mutex
	limits map[text]*limit
}

type limit struct {
	*rate.Limiter
	left int // out, since the last that passed
}

// admit reports whether a record passes, and how many were left out before it.
func (t *texts) admit(one text, now time.Time) (left int, pass bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.limits[one]
	if l == nil {
		l = &limit{Limiter: rate.NewLimiter(perSecond, burst)}
		t.limits[one] = l
	}
	if !l.AllowN(now, 1) {
		l.left++
		return 0, false
	}
	left, l.left = l.left, 0
	return left, true
}
