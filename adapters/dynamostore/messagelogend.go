package dynamostore

import (
	"slices"
	"sync"
	"time"

	"serverless-websocket/domain"
)

// maxEnds is how many ends of logs a process remembers, about 2 MB, and maxRepeats how many
// repeats before them, about 3 MB.
const (
	maxEnds    = 10_000
	maxRepeats = 10_000
)

// logEnd is what is to be known of a log's last row to put one after it. The zero value
// is that of an empty log.
type logEnd struct {
	Seq        int64        `dynamodbav:"seq"` // of the row's first message
	End        int64        `dynamodbav:"end"` // of its last
	Epoch      domain.Epoch `dynamodbav:"epoch"`
	ValidUntil int64        `dynamodbav:"valid_until"` // s
}

func (e logEnd) expired(now time.Time) bool { return now.Unix() >= e.ValidUntil }

// seen is the end of a log, and the messages before it that were sent again: a first try
// that comes late can be one of them, and need not be looked for in the log.
type seen struct {
	logEnd
	since   int64            // ms: repeats has all that were appended from then on
	repeats []domain.Message // without their contents
}

// add takes in a row that follows what was seen. Copies of s stay as they are.
func (s *seen) add(row logRow) {
	s.logEnd = row.logEnd
	s.repeats = append(slices.Clip(s.repeats), repeatsIn(row)...)
	if len(s.repeats) > maxRepeats {
		s.repeats, s.since = nil, row.At+1
	}
}

// before takes in a row in front of what was seen. Nothing is in front of the first.
func (s *seen) before(row logRow) {
	s.repeats = append(s.repeats, repeatsIn(row)...)
	if s.since = row.At; row.Seq == 1 {
		s.since = 0
	}
}

func repeatsIn(row logRow) (repeats []domain.Message) {
	for _, m := range row.messages {
		if m.Again {
			m.Content = nil // which holds on to the whole row
			repeats = append(repeats, m)
		}
	}
	return repeats
}

// ends remembers where logs end, as this process has last seen it.
type ends struct {
	mu      sync.Mutex
	of      map[domain.Recipients]seen
	repeats int // of all
}

// get returns the end of a log if its last row has not expired. Then that row still
// exists, whatever follows it by now.
func (e *ends) get(to domain.Recipients, now time.Time) (end seen, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, ok = e.of[to]
	return end, ok && !end.expired(now)
}

// set remembers an end, if need be in place of others.
func (e *ends) set(to domain.Recipients, end seen) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(to)
	for other := range e.of {
		if len(e.of) < maxEnds && e.repeats+len(end.repeats) <= maxRepeats {
			break
		}
		e.forget(other)
	}
	e.of[to] = end
	e.repeats += len(end.repeats)
}

// forget forgets an end. The caller holds e.mu.
func (e *ends) forget(to domain.Recipients) {
	e.repeats -= len(e.of[to].repeats)
	delete(e.of, to)
}
