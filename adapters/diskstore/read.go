package diskstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// span is what one file has of a channel and has not expired, from one number in the keys
// to another.
type span struct {
	file        *file
	first, last int64
	record      record    // the last of them, without the message
	left        time.Time // when the one before the first was appended; zero if none is in the file
}

// part is what is kept of a channel without holes: spans from the oldest on. It is empty
// if nothing is kept.
type part struct {
	store   *Store
	channel []byte
	spans   []span
	whole   time.Time // what was appended later is in spans
}

// These are numbers in keys; they require that something is kept.
func (p part) before() int64 { return p.spans[0].record.before }
func (p part) first() int64  { return p.spans[0].first }
func (p part) last() int64   { return p.spans[len(p.spans)-1].last }

func (p part) position(seq int64) domain.Position { return p.store.position(p.spans[0].record, seq) }

func (p part) end(now time.Time) domain.Position {
	if len(p.spans) == 0 {
		return domain.NothingSince(now, p.store.name)
	}
	return p.position(p.last())
}

// view calls read with the channel's part. No file is closed meanwhile.
func (s *Store) view(ctx context.Context, to domain.Recipients, read func(part, time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.filesMu.RLock()
	defer s.filesMu.RUnlock()
	if s.files == nil {
		return errClosed
	}
	now := time.Now()
	p, err := s.part(ctx, channelKey(to), now)
	if err == nil {
		err = read(p, now)
	}
	if err != nil {
		return fmt.Errorf("log of %s: %w", to, err)
	}
	return nil
}

// part looks for the channel in all files, from the newest on, until a number is missing.
func (s *Store) part(ctx context.Context, channel []byte, now time.Time) (part, error) {
	p := part{store: s, channel: channel, whole: endOf(s.dropped)}
	for _, f := range slices.Backward(s.files) {
		one, err := s.span(ctx, f, channel, now)
		if err != nil {
			return p, err
		}
		if one.last == 0 {
			continue // nothing, or all has expired
		}
		if len(p.spans) > 0 && (one.record.epoch != p.spans[0].record.epoch || one.last+1 != p.spans[0].first) {
			p.wholeAfter(one.record.at)
			break
		}
		p.spans = slices.Insert(p.spans, 0, one)
		p.wholeAfter(one.left)
	}
	return p, nil
}

// wholeAfter notes that a message that was appended then is not in the part. It need not
// have expired: the retention, or the clock, may have been another for a while.
func (p *part) wholeAfter(at time.Time) {
	if at.After(p.whole) {
		p.whole = at
	}
}

// span returns what a file has of the channel's newest epoch there.
func (s *Store) span(ctx context.Context, f *file, channel []byte, now time.Time) (one span, err error) {
	err = f.view(ctx, func(tx *bbolt.Tx) error {
		last, err := lastOf(tx, channel)
		if err != nil || last.seq == 0 || s.gone(last.record, now) {
			return err
		}
		first, err := firstOf(tx, channel)
		if err != nil {
			return err
		}
		one = span{file: f, first: first.seq, last: last.seq, record: last.record}
		one.record.message = nil // it refers to the file
		if first.epoch == last.epoch && !s.gone(first.record, now) {
			return nil
		}
		one.left = first.at
		one.first += int64(sort.Search(int(last.seq-first.seq), func(i int) bool {
			r, _, wrong := getRecord(tx, messageBucket, messageKey(channel, first.seq+int64(i)))
			err = cmp.Or(err, wrong)
			within := r.epoch == last.epoch && !s.gone(r, now)
			if !within && r.at.After(one.left) {
				one.left = r.at
			}
			return within
		}))
		return err
	})
	return one, err
}

// End returns the position of the newest message.
func (s *Store) End(ctx context.Context, to domain.Recipients) (end domain.Position, err error) {
	err = s.view(ctx, to, func(p part, now time.Time) error {
		end = p.end(now)
		return nil
	})
	return end, err
}

// After returns messages until the next would exceed the size.
func (s *Store) After(
	ctx context.Context, to domain.Recipients, position domain.Position, size int,
) (stretch ports.Stretch, err error) {
	err = s.view(ctx, to, func(p part, now time.Time) error {
		seq, err := p.following(position, now)
		if err != nil {
			return fmt.Errorf("after %s: %w", position, err)
		}
		if len(p.spans) == 0 {
			stretch.Position = p.end(now)
			return nil
		}
		stretch.Messages, err = p.shared(seq, p.last(), size)
		stretch.Epoch = p.epochOf(stretch.Messages)
		seq += int64(len(stretch.Messages))
		stretch.More = seq <= p.last()
		stretch.Position = p.position(seq - 1)
		return err
	})
	return stretch, err
}

// following returns the number in the key after a position, 0 if nothing is kept.
func (p part) following(position domain.Position, now time.Time) (int64, error) {
	since, log, nothing := position.Nothing()
	nothing = nothing && log == p.store.name
	switch {
	case nothing && (now.Sub(since) >= p.store.opts.Retention || since.Before(p.whole)):
		return 0, ports.ErrExpired
	case nothing && len(p.spans) == 0:
		return 0, nil
	case nothing:
		return p.first(), nil
	case len(p.spans) == 0, position.Epoch != p.end(now).Epoch, position.Seq < 0, position.Seq > p.end(now).Seq:
		return 0, ports.ErrReset
	}
	seq := position.Seq + p.before() + 1
	if seq < p.first() {
		return 0, ports.ErrExpired
	}
	return seq, nil
}

// Before returns none for a position of another epoch, or beyond the end.
func (s *Store) Before(
	ctx context.Context, to domain.Recipients, position domain.Position, limit, size int,
) (stretch ports.Stretch, err error) {
	err = s.view(ctx, to, func(p part, now time.Time) error {
		if len(p.spans) == 0 {
			return nil
		}
		if position == (domain.Position{}) {
			position = p.position(p.last() + 1)
		}
		if position.Epoch != p.end(now).Epoch || position.Seq < 0 || position.Seq > p.end(now).Seq+1 {
			return nil
		}
		seq := position.Seq + p.before()
		from := max(p.first(), seq-int64(limit))
		if from >= seq {
			return nil
		}
		messages, err := p.readBack(from, seq-1, size)
		stretch.Messages = messages[len(messages)-newest(messages, size):]
		stretch.Epoch = p.epochOf(stretch.Messages)
		stretch.More = seq-int64(len(stretch.Messages)) > p.first()
		return err
	})
	return stretch, err
}

// newest returns how many of the last messages have at most that much content, at least one.
func newest(messages []domain.Message, size int) (n int) {
	for _, m := range slices.Backward(messages) {
		if n > 0 && len(m.Content) > size {
			break
		}
		size -= len(m.Content)
		n++
	}
	return n
}

// reading is messages of a part, and how much more content to read.
type reading struct {
	part
	messages []domain.Message
	left     int
}

// read returns messages with the numbers, up to the one that exceeds the size, at least one.
func (p part) read(from, to int64, size int) ([]domain.Message, error) {
	r := reading{part: p, left: size}
	for _, one := range p.spans {
		if err := r.add(one, max(from, one.first), min(to, one.last), 1); err != nil {
			return nil, err
		}
	}
	return r.messages, nil
}

// readBack is read from the last number back. The oldest message comes first all the same.
func (p part) readBack(from, to int64, size int) ([]domain.Message, error) {
	r := reading{part: p, left: size}
	for _, one := range slices.Backward(p.spans) {
		if err := r.add(one, min(to, one.last), max(from, one.first), -1); err != nil {
			return nil, err
		}
	}
	slices.Reverse(r.messages)
	return r.messages, nil
}

// add adds the messages of a span from one number to another, in steps of 1 or -1.
func (r *reading) add(one span, from, to, step int64) error {
	return one.file.db.View(func(tx *bbolt.Tx) error {
		for seq := from; (to-seq)*step >= 0 && (len(r.messages) == 0 || r.left >= 0); seq += step {
			m, err := r.message(tx, seq)
			if err != nil {
				return err
			}
			r.messages = append(r.messages, m)
			r.left -= len(m.Content)
		}
		return nil
	})
}

// message returns the message with a number, which must be there.
func (p part) message(tx *bbolt.Tx, seq int64) (domain.Message, error) {
	r, found, err := getRecord(tx, messageBucket, messageKey(p.channel, seq))
	if err == nil && !found {
		err = fmt.Errorf("%w: message %d is missing", errDamaged, seq)
	}
	if err != nil {
		return domain.Message{}, err
	}
	return decodeMessage(r.message, seq-r.before)
}

// epochOf returns the epoch of messages of the part; empty without any.
func (p part) epochOf(messages []domain.Message) domain.Epoch {
	if len(messages) == 0 {
		return ""
	}
	return p.end(time.Time{}).Epoch
}
