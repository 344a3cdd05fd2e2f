package simulation

import (
	"context"
	"errors"
	"fmt"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// history is the log of messages: the embedded one, with the timing and faults of the
// table.
type history struct {
	*store
	rows *memlog.Log
}

func (h *history) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]domain.Position, error) {
	before, after := h.begin(ctx, fmt.Sprint("append ", to, messages[0].ID, len(messages)))
	if before != nil {
		return nil, before
	}
	at, err := h.rows.Append(ctx, to, messages, again)
	return at, errors.Join(err, after)
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

// newHistory returns an empty log, whose epochs follow from the seed.
func newHistory(w *world) *history {
	epochs := 0
	return &history{store: w.store, rows: memlog.New(memlog.Options{NewEpoch: func() domain.Epoch {
		epochs++
		return domain.Epoch(fmt.Sprint("epoch", epochs))
	}})}
}

// all returns a channel's messages.
func (h *history) all(to domain.Recipients) []domain.Message {
	found, err := h.rows.Before(context.Background(), to, domain.Position{}, 1_000_000, 1<<30)
	if err != nil {
		panic(err) // an embedded log does not fail
	}
	return found.Messages
}
