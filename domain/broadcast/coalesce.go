package broadcast

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"serverless-websocket/domain"
)

// received is a job and the delivery it came in.
type received struct {
	job      domain.Job
	delivery string
}

// batch is what one pass does: the messages of all jobs that arrived together
// for the same audience and failed equally often, in id order, each id once.
type batch struct {
	messages   []domain.Message
	audience   domain.Audience
	attempt    int
	seen       int // connections before the audience's cursor
	deliveries []string
}

// audienceKey is equal for jobs that can share a pass.
type audienceKey struct {
	only    string
	segment domain.Segment
	cursor  domain.Cursor
	attempt int
}

// coalesce makes one batch of all jobs with the same audience, so that they
// cost one scan and, as far as they fit a payload, one post for each connection.
// Batches keep the order in which their first jobs came.
func coalesce(work []received) []batch {
	var batches []batch
	index := make(map[audienceKey]int)
	for _, r := range work {
		key := keyOf(r.job)
		i, known := index[key]
		if !known {
			i = len(batches)
			index[key] = i
			batches = append(batches, batch{audience: r.job.Audience, attempt: r.job.Attempt})
		}
		b := &batches[i]
		b.messages = append(b.messages, r.job.Messages...)
		b.seen = max(b.seen, r.job.Seen)
		b.deliveries = append(b.deliveries, r.delivery)
	}
	for i := range batches {
		batches[i].messages = ordered(batches[i].messages)
	}
	return batches
}

func keyOf(job domain.Job) audienceKey {
	var only strings.Builder
	for _, c := range job.Audience.Only {
		only.WriteString(strconv.Itoa(len(c.ID))) // an id may hold any separator
		only.WriteByte(':')
		only.WriteString(string(c.ID))
	}
	return audienceKey{only.String(), job.Audience.Segment, job.Audience.Cursor, job.Attempt}
}

// ordered sorts the messages by id and drops duplicates, which a queue that
// delivers at least once makes.
func ordered(messages []domain.Message) []domain.Message {
	slices.SortStableFunc(messages, func(a, b domain.Message) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(messages, func(a, b domain.Message) bool { return a.ID == b.ID })
}

// byName reports whether the batch is for connections by name.
func (b batch) byName() bool { return len(b.audience.Only) > 0 }

// retry reports whether the batch is for connections that have failed before.
func (b batch) retry() bool { return b.byName() && b.attempt > 0 }

// forEveryone reports whether the batch is for the whole table from its start.
func (b batch) forEveryone() bool {
	return !b.byName() && b.audience.Segment.Whole() && b.audience.Cursor == ""
}
