package fanout

import (
	"context"
	"time"

	"serverless-websocket/domain"
)

// maxSplit bounds the bytes of all the parts that a job is split into: each of
// them has all its messages.
const maxSplit = 16 << 20

// parts is into how many parts the batch can be split.
func (w *Worker) parts(b batch) int {
	if w.options.Workers <= 1 || !b.wholeTable() {
		return 1
	}
	return min(w.options.Workers, maxSplit/weight(b.Messages))
}

// tooLarge reports whether a pass with so many envelopes over the whole table
// would take one worker longer than it should: by what earlier passes saw or,
// while nothing is known, by the table's first page. Of a table that has more
// pages nothing else is known.
func (w *Worker) tooLarge(ctx context.Context, envelopes int) bool {
	connections, known := w.throughput.tableSize()
	if !known {
		page, err := w.outside.Connections.Scan(ctx, domain.Segment{}, "")
		if err != nil {
			return false // the pass will meet the error too, and deal with it
		}
		if page.Next != "" {
			return true
		}
		connections = len(page.Connections)
	}
	return w.throughput.takes(connections*envelopes) > w.options.PassTime
}

// split cuts a batch for everyone into so many parts, one for each segment of the
// table. It leaves all but one over, makes a pass for that one, and rests.
func (w *Worker) split(within budget, b batch, envelopes []domain.Envelope, total int) error {
	var others []requeuedJob
	for i := 1; i < total; i++ {
		segment := domain.Segment{Index: i, Total: total}
		others = append(others, w.options.requeued(b, scope{span: domain.Span{Segment: segment}}, untried, nil))
	}
	w.observe(func(o Observer) { o.Split(within.ctx, b.Messages, total) })
	if err := w.requeue(within.ctx, others...); err != nil {
		return err
	}
	b.Span.Segment = domain.Segment{Total: total}
	busy, err := w.pass(within, b, envelopes)
	within.rest(busy)
	return err
}

// restFactor is how many times as long as its part took a worker rests after a
// split. Two workers take new jobs; were each to split one after the other, they
// would leave twice as many parts as the others can work off in the meantime.
// With as long a rest as the pass they would leave as many; this is some more.
const restFactor = 1.5

// rest keeps the worker from taking a new job for a while. Jobs gather on the
// queue meanwhile, and coalesce; parts do not.
func (b budget) rest(busy time.Duration) {
	sleep(b.ctx, b.left(time.Duration(restFactor*float64(busy))))
}
