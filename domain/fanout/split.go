package fanout

import (
	"context"
	"time"

	"serverless-websocket/domain"
)

// maxSplit bounds the total size of a job's parts, in bytes: each has all its messages.
const maxSplit = 16 << 20

// parts returns the number of parts that the batch can be split into.
func (w *Worker) parts(b batch) int {
	parts := w.lane(b.To).parts
	if parts <= 1 || !b.Whole() {
		return 1
	}
	return min(parts, maxSplit/weight(b.Messages))
}

// tooLarge reports whether a pass with that many envelopes over all the recipients would
// take one worker longer than Options.PassTime. It goes by the passes of the last minute
// or, without any, by the first page: recipients with more pages are too many.
func (w *Worker) tooLarge(ctx context.Context, to domain.Recipients, envelopes int) bool {
	connections, known := w.sizes.of(to)
	if !known {
		page, err := w.page(ctx, to, domain.Segment{}, "")
		if err != nil {
			return false // the pass will meet the error too, and deal with it
		}
		if page.Next != "" {
			return true
		}
		connections = len(page.Connections)
	}
	return w.lane(to).speed.takes(connections*envelopes) > w.options.PassTime
}

// split splits a batch for all its recipients into parts, one for each segment. It requeues
// all but one, makes a pass for that one, and after a job for everyone it rests.
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
	if w.lane(b.To).rests {
		within.rest(busy)
	}
	return err
}

// restFactor is how long a worker rests after a split, in multiples of the time of its
// own part. JobWorkers workers split jobs, each into one part for each part worker and one
// for itself. If they did not rest, two of them would produce parts twice as fast as the
// part workers can process them; a factor of 1 would just balance that.
const restFactor = 1.5

// rest keeps the worker from taking a new job for a while. Meanwhile new jobs gather
// on the queue, and coalesce; parts do not.
func (b budget) rest(busy time.Duration) {
	sleep(b.ctx, b.left(time.Duration(restFactor*float64(busy))))
}
