package fanout

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
	again    bool
}

// batch is the work of one pass: the jobs that arrived together, are for the same
// connections and have failed equally often, as one job. Its messages are in the order
// of their numbers or, without, of their ids, each once.
type batch struct {
	domain.Job
	deliveries []string
	again      bool // whether a queue may have delivered one of the jobs before
}

// batchKey is the same for jobs that can share a pass.
type batchKey struct {
	to      domain.Recipients
	epoch   domain.Epoch
	only    string
	segment domain.Segment
	cursor  domain.Cursor
	attempt int
	retry   bool
}

// coalesce makes one batch of all jobs for the same connections. They cost one scan
// and, if they fit one payload, one post for each connection. Batches keep the order
// of their first jobs.
func coalesce(work []received) []batch {
	var batches []batch
	index := make(map[batchKey]int)
	for _, r := range work {
		key := keyOf(r.job)
		i, known := index[key]
		if !known {
			i = len(batches)
			index[key] = i
			batches = append(batches, batch{Job: r.job})
			batches[i].Messages = nil
		}
		b := &batches[i]
		b.Messages = append(b.Messages, r.job.Messages...)
		for j, t := range r.job.Only { // the same connections in the same order
			same := &b.Only[j]
			same.GoneFor = max(same.GoneFor, t.GoneFor)
			same.Rejected = same.Rejected || t.Rejected
		}
		b.deliveries = append(b.deliveries, r.delivery)
		b.again = b.again || r.again
	}
	for i := range batches {
		batches[i].Messages = ordered(batches[i].Messages)
	}
	return batches
}

func keyOf(job domain.Job) batchKey {
	var only strings.Builder
	for _, c := range job.Only {
		only.WriteString(strconv.Itoa(len(c.ID))) // an id may hold any separator
		only.WriteByte(':')
		only.WriteString(string(c.ID))
	}
	return batchKey{job.To, job.Epoch, only.String(), job.Span.Segment, job.Span.Cursor, job.Attempt, job.Retry()}
}

// ordered sorts the messages by number and id and drops duplicates, which come from a
// queue that delivers at least once. A message has a number of its own each time it is in
// the log.
func ordered(messages []domain.Message) []domain.Message {
	slices.SortStableFunc(messages, func(a, b domain.Message) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(messages, func(a, b domain.Message) bool { return a.ID == b.ID && a.Seq == b.Seq })
}

// byName reports whether the batch names its connections.
func (b batch) byName() bool { return len(b.Only) > 0 }
