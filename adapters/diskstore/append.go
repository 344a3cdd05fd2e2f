package diskstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Append looks for messages in the files back to the day before the first of them was
// accepted, also without again: what Journal.Keep has appended can be in the file of the day
// before. What shares a ref with a message is looked for as far back as that can be. Of
// several with one ref, the newest is found. Append waits for the disk only if not all
// messages are in the newest file.
func (s *Store) Append(
	ctx context.Context, to domain.Recipients, messages []domain.Message, _ bool,
) ([]ports.Entry, error) {
	if err := ctx.Err(); err != nil || len(messages) == 0 {
		return nil, err
	}
	a := s.newAppending(to, messages)
	if a.known(ctx) {
		return a.entries, nil
	}
	if err := s.do(ctx, &operation{apply: a.apply}); err != nil {
		return nil, err
	}
	return a.entries, nil
}

// appending is messages that go to the end of a channel's log, unless they are there.
type appending struct {
	store    *Store
	to       domain.Recipients
	channel  []byte
	messages []domain.Message
	ids      [][]byte // keys of the idBucket
	encoded  [][]byte
	since    string // the day to begin the search with
	entries  []ports.Entry
}

func (s *Store) newAppending(to domain.Recipients, messages []domain.Message) *appending {
	a := &appending{store: s, to: to, channel: channelKey(to), messages: messages, since: dayOf(messages[0].SentAt)}
	for _, m := range messages {
		a.ids = append(a.ids, slices.Concat(a.channel, []byte(m.ID)))
		a.encoded = append(a.encoded, encodeMessage(m))
		a.since = min(a.since, dayOf(m.SentAt.AddDate(0, 0, -1)))
	}
	return a
}

// known reports whether all messages are in the newest file, on disk, and sets their
// entries.
func (a *appending) known(ctx context.Context) bool {
	a.entries = make([]ports.Entry, len(a.ids))
	return a.store.onDisk(ctx, len(a.ids), func(tx *bbolt.Tx, i int, now time.Time) (bool, error) {
		_, err := a.findIn(tx, i, now)
		return a.entries[i].Seq > 0, err
	})
}

// apply does all reads before the first write.
func (a *appending) apply(b *batch) error {
	a.entries = make([]ports.Entry, len(a.ids))
	for i := range a.ids {
		if err := a.find(b, i); err != nil {
			return err
		}
	}
	last, err := a.end(b)
	if err != nil {
		return err
	}
	r := record{at: b.now, epoch: last.epoch, before: last.before}
	if last.seq == 0 || a.store.gone(last.record, b.now) {
		r.epoch, r.before = randomName(8), last.seq
	}
	seq, fresh := last.seq, map[string]domain.Position{}
	var added []domain.Message
	for i, id := range a.ids {
		e := &a.entries[i]
		if e.Seq > 0 || e.RepeatOf != "" {
			continue
		}
		if e.Position = fresh[string(id)]; e.Seq > 0 {
			continue
		}
		if e.RepeatOf = a.messages[i].RepeatOf(added); e.RepeatOf != "" {
			continue
		}
		seq++
		r.message = a.encoded[i]
		if err := a.put(b, i, seq, r); err != nil {
			return err
		}
		e.Position = a.store.position(r, seq)
		fresh[string(id)] = e.Position
		added = append(added, a.messages[i])
	}
	return nil
}

func (a *appending) put(b *batch, i int, seq int64, r record) error {
	err := b.put(messageBucket, messageKey(a.channel, seq), r.encode())
	if err == nil {
		err = b.put(idBucket, a.ids[i], number(uint64(seq)))
	}
	if m := a.messages[i]; err == nil && m.Ref != "" {
		err = b.put(idBucket, a.refKey(m), number(uint64(seq)))
	}
	return err
}

// refKey returns the key in the idBucket of what a message and its repeats share. No id
// begins like it.
func (a *appending) refKey(m domain.Message) []byte {
	key := append(slices.Clone(a.channel), 0)
	return append(appendText(appendText(key, m.Sender), m.To), m.Ref...)
}

// position returns the position of a message with the number in its key. It names the log
// in the epoch: a log that has lost messages has other epochs.
func (s *Store) position(r record, seq int64) domain.Position {
	return domain.Position{Epoch: domain.Epoch(r.epoch + s.name), Seq: seq - r.before}
}

// gone reports whether a message has expired.
func (s *Store) gone(r record, now time.Time) bool { return now.Sub(r.at) >= s.opts.Retention }

// find sets the entry of a message that was appended before and has not expired, itself or
// as a repeat.
func (a *appending) find(b *batch, i int) error {
	err := a.search(b, a.since, func(tx *bbolt.Tx) (bool, error) { return a.findIn(tx, i, b.now) })
	m := a.messages[i]
	if err != nil || a.entries[i].Seq > 0 || m.Ref == "" {
		return err
	}
	since := dayOf(m.SentAt.Add(-domain.RepeatWindow))
	return a.search(b, since, func(tx *bbolt.Tx) (bool, error) {
		return a.lookUp(tx, a.refKey(m), b.now, func(r record, seq int64) error {
			other, err := decodeMessage(r.message, seq)
			a.entries[i].RepeatOf = m.RepeatOf([]domain.Message{other})
			return err
		})
	})
}

// findIn reports whether a file has the message, also if that has expired.
func (a *appending) findIn(tx *bbolt.Tx, i int, now time.Time) (found bool, err error) {
	return a.lookUp(tx, a.ids[i], now, func(r record, seq int64) error {
		a.entries[i].Position = a.store.position(r, seq)
		return nil
	})
}

// lookUp calls found with what a key of the idBucket leads to, unless that has expired. It
// reports whether a file has the key.
func (a *appending) lookUp(tx *bbolt.Tx, key []byte, now time.Time, found func(record, int64) error) (has bool, err error) {
	seq, has, err := getSeq(tx, key)
	if err != nil || !has {
		return false, err
	}
	r, has, err := getRecord(tx, messageBucket, messageKey(a.channel, seq))
	if err != nil || !has || a.store.gone(r, now) {
		return true, err
	}
	return true, found(r, seq)
}

// end returns the newest message of the channel, with number 0 if no file has any.
func (a *appending) end(b *batch) (last numbered, err error) {
	err = a.search(b, "0", func(tx *bbolt.Tx) (done bool, err error) {
		last, err = lastOf(tx, a.channel)
		return last.seq > 0, err
	})
	return last, err
}

// search looks into the newest file, and into those of the days from since on, until visit
// has found what it looks for.
func (a *appending) search(b *batch, since string, visit func(*bbolt.Tx) (done bool, err error)) error {
	done, err := visit(b.tx)
	older := a.store.files[:len(a.store.files)-1]
	for i := len(older) - 1; i >= 0 && !done && err == nil && older[i].day >= since; i-- {
		err = older[i].db.View(func(tx *bbolt.Tx) (err error) {
			done, err = visit(tx)
			return err
		})
	}
	return err
}

// numbered is a record with the number in its key. That goes on where an epoch ends.
type numbered struct {
	record
	seq int64
}

func messageKey(channel []byte, seq int64) []byte { return slices.Concat(channel, number(uint64(seq))) }

// lastOf returns the newest message that a file has of a channel. It refers to the file.
func lastOf(tx *bbolt.Tx, channel []byte) (numbered, error) {
	cursor := tx.Bucket(messageBucket).Cursor()
	key, _ := cursor.Seek(messageKey(channel, math.MaxInt64))
	if key == nil {
		key, _ = cursor.Last()
	} else {
		key, _ = cursor.Prev()
	}
	return numberedAt(tx, channel, key)
}

// firstOf returns the oldest message that a file has of a channel. It refers to the file.
func firstOf(tx *bbolt.Tx, channel []byte) (numbered, error) {
	key, _ := tx.Bucket(messageBucket).Cursor().Seek(messageKey(channel, 0))
	return numberedAt(tx, channel, key)
}

// numberedAt returns the message with the key, or none if it is of another channel.
func numberedAt(tx *bbolt.Tx, channel, key []byte) (numbered, error) {
	if !bytes.HasPrefix(key, channel) || len(key) != len(channel)+8 {
		return numbered{}, nil
	}
	r, _, err := getRecord(tx, messageBucket, key)
	return numbered{r, int64(binary.BigEndian.Uint64(key[len(channel):]))}, err
}

func getRecord(tx *bbolt.Tx, bucket, key []byte) (r record, found bool, err error) {
	value := tx.Bucket(bucket).Get(key)
	if value == nil {
		return record{}, false, nil
	}
	payload, err := payloadOf(key, value)
	if err == nil {
		r, err = decodeRecord(payload)
	}
	return r, true, err
}

func getSeq(tx *bbolt.Tx, id []byte) (seq int64, found bool, err error) {
	value := tx.Bucket(idBucket).Get(id)
	if value == nil {
		return 0, false, nil
	}
	payload, err := payloadOf(id, value)
	if err != nil || len(payload) != 8 {
		return 0, false, errDamaged
	}
	return int64(binary.BigEndian.Uint64(payload)), true, nil
}
