package dynamostore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// shortestRetention is the shortest that a stage can set: whatever the setting was,
// messages are kept that long.
const shortestRetention = 24 * time.Hour

// pageRows is how many rows are read at once. They cost a read unit for each 4 KB.
const pageRows = 20

// After returns messages until the next would exceed the size.
func (l *MessageLog) After(ctx context.Context, to domain.Recipients, position domain.Position, size int) (ports.Stretch, error) {
	s, err := l.after(ctx, to, position, size)
	if err != nil {
		return ports.Stretch{}, fmt.Errorf("log of %s after %q: %w", to, position, err)
	}
	return s, nil
}

func (l *MessageLog) after(ctx context.Context, to domain.Recipients, position domain.Position, size int) (s ports.Stretch, err error) {
	s.Position = domain.NothingSince(l.now(), l.tag)
	known := l.tails.from(to, position, l.now())
	if known == nil {
		row, found, err := l.start(ctx, to, position)
		if err != nil || !found {
			return s, err
		}
		known = []logRow{row}
	}
	first := known[0]
	s.Position = domain.Position{Epoch: first.Epoch, Seq: max(position.Seq, first.Seq-1)}
	passed := max(0, position.Seq-first.Seq+1)
	size = take(&s, first.Epoch, first.messages[passed:], size)
	for row, err := range l.following(ctx, to, known) {
		if err != nil || s.More {
			return s, err
		}
		size = take(&s, row.Epoch, row.messages, size)
	}
	return s, nil
}

// following returns the rows after the first of those that are known, and reads what
// follows these until the caller has enough. It ends after an error.
func (l *MessageLog) following(ctx context.Context, to domain.Recipients, known []logRow) iter.Seq2[logRow, error] {
	return func(yield func(logRow, error) bool) {
		last := known[len(known)-1]
		for _, row := range known[1:] {
			if !yield(row, nil) {
				return
			}
		}
		read := []logRow{last}
		defer func() { l.tails.keep(to, read) }()
		for row, err := range l.rows(ctx, reading{to: to, from: last.End + 1, limit: pageRows}) {
			if err == nil && (!row.follows(last) || row.expired(l.now())) {
				err = fmt.Errorf("%d of %s comes after %d of %s: %w", row.Seq, row.Epoch, last.End, last.Epoch, ports.ErrExpired)
			}
			if err == nil {
				read, last = append(read, row), row
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// take adds messages to a stretch until the next exceeds the size, and returns what is
// left of that.
func take(s *ports.Stretch, epoch domain.Epoch, messages []domain.Message, size int) int {
	for _, m := range messages {
		if len(s.Messages) > 0 && len(m.Content) > size {
			s.More = true
			break
		}
		s.Epoch, s.Messages = epoch, append(s.Messages, m)
		s.Position = domain.Position{Epoch: epoch, Seq: m.Seq}
		size -= len(m.Content)
	}
	return size
}

// start returns the row in which a position is, or the oldest for a place without messages.
// Not found means that nothing is kept after it.
func (l *MessageLog) start(ctx context.Context, to domain.Recipients, position domain.Position) (row logRow, found bool, err error) {
	since, tag, nothing := position.Nothing()
	switch {
	case nothing && tag == l.tag && l.now().Sub(since) >= min(l.retention, shortestRetention)-clockError:
		return row, false, ports.ErrExpired
	case nothing && tag == l.tag:
		return l.oldest(ctx, to)
	}
	row, found, err = l.first(ctx, reading{to: to, from: position.Seq, backwards: true})
	switch {
	case err != nil:
		return row, false, err
	case !found || row.End < position.Seq:
		return row, false, l.missing(ctx, to, position)
	case row.Epoch != position.Epoch:
		return row, false, ports.ErrReset
	case row.expired(l.now()):
		return l.afterExpired(ctx, to, row, position)
	}
	return row, true, nil
}

// afterExpired returns the row after an expired one, at whose end the position is. Until
// that one itself may be deleted, no later one is.
func (l *MessageLog) afterExpired(ctx context.Context, to domain.Recipients, row logRow, position domain.Position) (
	next logRow, found bool, err error) {
	if position.Seq < row.End || l.now().Add(clockError).Unix() >= row.ExpiresAt {
		return next, false, ports.ErrExpired
	}
	next, found, err = l.first(ctx, reading{to: to, from: row.End + 1})
	if found && (next.Seq != row.End+1 || next.expired(l.now())) {
		return next, false, ports.ErrExpired
	}
	return next, found, err
}

// missing returns why no row has a position: it was deleted if the epoch has gone on.
func (l *MessageLog) missing(ctx context.Context, to domain.Recipients, position domain.Position) error {
	next, found, err := l.first(ctx, reading{to: to, from: position.Seq + 1})
	switch {
	case err != nil:
		return err
	case found && next.Epoch == position.Epoch:
		return ports.ErrExpired
	}
	return ports.ErrReset
}

// oldest returns the first row of the newest epoch that has not expired. DynamoDB may
// keep those that have for days, so it is not looked for row by row.
func (l *MessageLog) oldest(ctx context.Context, to domain.Recipients) (row logRow, found bool, err error) {
	newest, found, err := l.first(ctx, newestOf(to))
	if err != nil || !found || newest.expired(l.now()) {
		return row, false, err
	}
	first, found, err := l.first(ctx, reading{to: to})
	if err != nil || found && first.Epoch == newest.Epoch && !first.expired(l.now()) {
		return first, found, err
	}
	row, err = l.firstLike(ctx, to, newest, first.End+1)
	return row, err == nil, err
}

// firstLike returns the first row of an epoch that has not expired, given one of them.
// It halves the numbers, from one on, among which that is.
func (l *MessageLog) firstLike(ctx context.Context, to domain.Recipients, row logRow, from int64) (logRow, error) {
	for now := l.now(); from < row.Seq; {
		middle := from + (row.Seq-1-from)/2
		other, found, err := l.first(ctx, reading{to: to, from: middle, backwards: true})
		if err != nil {
			return row, err
		}
		if found && other.End >= middle && other.Epoch == row.Epoch && !other.expired(now) {
			row = other
		} else {
			from = max(middle, other.End) + 1
		}
	}
	return row, nil
}

// Before reads back until a row that does not belong to the same stretch.
func (l *MessageLog) Before(ctx context.Context, to domain.Recipients, position domain.Position, limit, size int) (ports.Stretch, error) {
	s, err := l.before(ctx, to, position, limit, size, l.now())
	if err != nil {
		return ports.Stretch{}, fmt.Errorf("log of %s before %q: %w", to, position, err)
	}
	slices.Reverse(s.Messages)
	return s, nil
}

// before returns the newest message first.
func (l *MessageLog) before(ctx context.Context, to domain.Recipients, position domain.Position, limit, size int, now time.Time) (
	s ports.Stretch, err error) {
	r, epoch, last := newestOf(to), position.Epoch, position.Seq-1
	if position != (domain.Position{}) {
		r.from = last
	}
	r.limit = int32(min(limit, pageRows-1) + 1) // a message in each, and one more
	for row, err := range l.rows(ctx, r) {
		if err != nil {
			return s, err
		}
		if position == (domain.Position{}) && len(s.Messages) == 0 {
			epoch, last = row.Epoch, row.End
		}
		if row.expired(now) || row.Epoch != epoch || row.End < last {
			return s, nil
		}
		for ; last >= row.Seq; last-- {
			m := row.messages[last-row.Seq]
			if n := len(s.Messages); n == limit || n > 0 && len(m.Content) > size {
				s.More = true
				return s, nil
			}
			s.Epoch, s.Messages = epoch, append(s.Messages, m)
			size -= len(m.Content)
		}
	}
	return s, nil
}
