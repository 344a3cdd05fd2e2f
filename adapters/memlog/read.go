package memlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// End returns the position of the newest message.
func (l *Log) End(ctx context.Context, to domain.Recipients) (domain.Position, error) {
	if err := ctx.Err(); err != nil {
		return domain.Position{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end(l.channel(to)), nil
}

// end returns the end of a channel that is nil if nothing of it is kept.
func (l *Log) end(c *channel) domain.Position {
	if c == nil {
		return domain.NothingSince(time.Now(), l.opts.Name)
	}
	return domain.Position{Epoch: c.epoch, Seq: c.end()}
}

// channel returns the channel without what has expired, or nil if nothing is left. The
// caller holds l.mu.
func (l *Log) channel(to domain.Recipients) *channel {
	l.dropExpired(time.Now())
	return l.channels[to]
}

// After returns messages until the next would exceed the size.
func (l *Log) After(ctx context.Context, to domain.Recipients, position domain.Position, size int) (ports.Stretch, error) {
	if err := ctx.Err(); err != nil {
		return ports.Stretch{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.channel(to)
	skip, err := l.skip(c, position)
	switch {
	case err != nil:
		return ports.Stretch{}, fmt.Errorf("log of %s after %s: %w", to, position, err)
	case c == nil:
		return ports.Stretch{Position: l.end(c)}, nil
	}
	following := c.kept.items[skip:]
	n := 0
	for n < len(following) && (n == 0 || len(following[n].Content) <= size) {
		size -= len(following[n].Content)
		n++
	}
	stretch := c.stretch(following[:n], n < len(following))
	stretch.Position = domain.Position{Epoch: c.epoch, Seq: c.kept.items[0].Seq + int64(skip+n) - 1}
	return stretch, nil
}

// skip returns how many of a channel's messages are not after the position. The channel
// is nil if nothing of it is kept. The caller holds l.mu.
func (l *Log) skip(c *channel, position domain.Position) (int, error) {
	if since, log, nothing := position.Nothing(); nothing && log == l.opts.Name {
		if !since.After(l.dropped) { // they are dropped in the order in which they were appended
			return 0, ports.ErrExpired
		}
		return 0, nil
	}
	if c == nil || position.Epoch != c.epoch || position.Seq < 0 || position.Seq > c.end() {
		return 0, ports.ErrReset
	}
	skipped := position.Seq - c.kept.items[0].Seq + 1
	if skipped < 0 {
		return 0, ports.ErrExpired
	}
	return int(skipped), nil
}

// Before returns none for a position of another epoch, or beyond the end.
func (l *Log) Before(ctx context.Context, to domain.Recipients, position domain.Position, limit, size int) (ports.Stretch, error) {
	if err := ctx.Err(); err != nil {
		return ports.Stretch{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.channel(to)
	if c == nil {
		return ports.Stretch{}, nil
	}
	if position == (domain.Position{}) {
		position = domain.Position{Epoch: c.epoch, Seq: c.end() + 1}
	}
	n := position.Seq - c.kept.items[0].Seq // how many are before it
	if position.Epoch != c.epoch || n < 0 || n > int64(len(c.kept.items)) {
		return ports.Stretch{}, nil
	}
	preceding := c.kept.items[:n]
	from := pageOf(preceding, limit, size)
	return c.stretch(preceding[from:], from > 0), nil
}

// stretch returns a copy of the messages.
func (c *channel) stretch(messages []domain.Message, more bool) ports.Stretch {
	if len(messages) == 0 {
		return ports.Stretch{}
	}
	return ports.Stretch{Epoch: c.epoch, Messages: slices.Clone(messages), More: more}
}
