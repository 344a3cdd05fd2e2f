package dynamostore

import (
	"slices"
	"sync"
	"time"

	"serverless-websocket/domain"
)

const (
	// maxTail is how many bytes of a log a process remembers, and maxTails of all: clients
	// that come back together ask for the same messages.
	maxTail  = 1 << 20
	maxTails = 16 << 20
)

// tails remembers the newest rows of logs that this process has read, which never change.
// The rows of a log follow each other.
type tails struct {
	mu   sync.Mutex
	of   map[domain.Recipients][]logRow
	size int
}

// from returns the rows from the one on that has the position; none if that is not
// remembered or has expired.
func (t *tails) from(to domain.Recipients, at domain.Position, now time.Time) []logRow {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.of[to]
	i, _ := slices.BinarySearchFunc(rows, at.Seq, func(r logRow, seq int64) int { return int(min(1, max(-1, r.End-seq))) })
	if i == len(rows) || rows[i].Seq > at.Seq || rows[i].Epoch != at.Epoch || rows[i].expired(now) {
		return nil
	}
	return rows[i:]
}

// last returns the last row, if that has not expired.
func (t *tails) last(to domain.Recipients, now time.Time) (logRow, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.of[to]
	if len(rows) == 0 || rows[len(rows)-1].expired(now) {
		return logRow{}, false
	}
	return rows[len(rows)-1], true
}

// keep remembers rows that follow each other: those that are new after the rows that are
// known, or all of them if these end earlier.
func (t *tails) keep(to domain.Recipients, rows []logRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.of[to]
	if len(known) > 0 {
		first, last := rows[0], known[len(known)-1]
		switch end := rows[len(rows)-1].End; {
		case first.Epoch == last.Epoch && known[0].Seq <= first.Seq && first.Seq <= last.End+1:
			rows = slices.DeleteFunc(slices.Clone(rows), func(r logRow) bool { return r.Seq <= last.End })
		case first.Epoch == last.Epoch && end < last.End:
			return
		default:
			t.drop(to)
		}
	}
	for _, row := range rows {
		t.of[to] = append(t.of[to], row)
		t.size += row.size()
	}
	t.trim(to)
}

// trim forgets the oldest rows of a log that is too long, and other logs if all are. The
// caller holds t.mu.
func (t *tails) trim(to domain.Recipients) {
	size, first := 0, len(t.of[to])
	for first > 0 && size < maxTail {
		first--
		size += t.of[to][first].size()
	}
	for _, row := range t.of[to][:first] {
		t.size -= row.size()
	}
	if first > 0 {
		t.of[to] = slices.Clone(t.of[to][first:])
	}
	for other := range t.of {
		if t.size <= maxTails {
			break
		}
		if other != to {
			t.drop(other)
		}
	}
}

func (t *tails) drop(to domain.Recipients) {
	for _, row := range t.of[to] {
		t.size -= row.size()
	}
	delete(t.of, to)
}

// size is about what a row takes in memory, in bytes.
func (r logRow) size() int {
	const perMessage = 200
	size := perMessage
	for _, m := range r.messages {
		size += perMessage + len(m.Content) + len(m.Sender) + len(m.Ref)
	}
	return size
}
