package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// history is the log of messages: the embedded one, with the timing and faults of the
// table.
type history struct {
	*store
	rows *memlog.Log

	mu   sync.Mutex
	ever map[domain.Recipients][]logged // all that was appended
}

// logged is a message that was in a log.
type logged struct {
	at       domain.Position
	id       string
	appended time.Time
}

func (h *history) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]ports.Entry, error) {
	before, after := h.begin(ctx, fmt.Sprint("append ", to, messages[0].ID, len(messages)))
	if before != nil {
		return nil, before
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	entries, err := h.rows.Append(ctx, to, messages, again)
	for i, e := range entries {
		if e.RepeatOf == "" && !slices.ContainsFunc(h.ever[to], func(l logged) bool { return l.at == e.Position }) {
			h.ever[to] = append(h.ever[to], logged{e.Position, string(messages[i].ID), time.Now()})
		}
	}
	return entries, errors.Join(err, after)
}

func (h *history) End(ctx context.Context, to domain.Recipients) (domain.Position, error) {
	if err := errors.Join(h.begin(ctx, fmt.Sprint("end ", to))); err != nil {
		return domain.Position{}, err
	}
	return h.rows.End(ctx, to)
}

func (h *history) After(ctx context.Context, to domain.Recipients, position domain.Position, size int) (ports.Stretch, error) {
	if err := errors.Join(h.begin(ctx, fmt.Sprint("after ", to, position))); err != nil {
		return ports.Stretch{}, err
	}
	return h.rows.After(ctx, to, position, size)
}

func (h *history) Before(ctx context.Context, to domain.Recipients, position domain.Position, limit, size int) (ports.Stretch, error) {
	if err := errors.Join(h.begin(ctx, fmt.Sprint("before ", to, position))); err != nil {
		return ports.Stretch{}, err
	}
	return h.rows.Before(ctx, to, position, limit, size)
}

var _ ports.MessageLog = (*history)(nil)

// length returns how many messages the log of a channel ever had, by its name for a user.
func (h *history) length(channel, user string) int {
	to, err := domain.ParseChannel(channel, user)
	if err != nil {
		panic(err) // it is the service's name
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ever[to])
}

// forgets is how soon the log of a forgetful world drops messages.
const forgets = 8 * time.Second

// newHistory returns an empty log, whose epochs follow from the seed.
func newHistory(w *world) *history {
	epochs, options := 0, memlog.Options{Name: "log"}
	options.NewEpoch = func() domain.Epoch {
		epochs++
		return domain.Epoch(fmt.Sprint("epoch", epochs))
	}
	if w.plan.forgetful {
		options.Retention = forgets
		w.fault("log that forgets")
	}
	return &history{store: w.store, rows: memlog.New(options), ever: make(map[domain.Recipients][]logged)}
}
