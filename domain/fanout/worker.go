// Package fanout holds the use case of a worker: it takes jobs from the queues and
// posts their messages to the connections that they are for. It finishes each job
// or puts the rest of it back as smaller ones.
package fanout

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// maxPasses is how many passes of one batch run side by side, so that a pass
// over a few slow connections does not hold up the others. A batch of retries on
// AWS has as many.
const maxPasses = 10

// Worker works jobs off: it finishes each or turns what is left of it into
// smaller jobs. Its methods may be called concurrently.
type Worker struct {
	outside    Ports
	log        *slog.Logger
	observers  []Observer
	options    Options
	pool       pool
	throughput throughput
}

// Ports are what a worker needs from outside.
type Ports struct {
	Connections ports.ConnectionStore
	Poster      ports.Poster
	// RetryPoster makes the posts of retries; see domain.Job.Retry. Nil is Poster.
	RetryPoster ports.Poster
	// Parts gets what has not been tried yet: parts of a job that was split, the
	// rest of a scan, connections for which no time was left. Retries gets the
	// retries. They can be one queue, but then what slow clients are owed stands in
	// the way of new messages.
	Parts, Retries ports.Queue
	DeadLetters    ports.Queue
	// Observer hears what the worker does, besides its log; nil if nobody else has to.
	Observer Observer
}

// New returns a worker with an empty memory.
func New(outside Ports, log *slog.Logger, options Options) *Worker {
	if outside.RetryPoster == nil {
		outside.RetryPoster = outside.Poster
	}
	observers := []Observer{logObserver{log}}
	if outside.Observer != nil {
		observers = append(observers, outside.Observer)
	}
	options = options.withDefaults()
	return &Worker{
		outside: outside, log: log, observers: observers, options: options,
		pool: newPool(options.InFlight), throughput: throughput{most: options.PostsPerSecond},
	}
}

// Delivery is one message that the queue handed over.
type Delivery struct {
	ID   string // of the queue message
	Body string
}

// Handle works off the jobs that arrived together and returns the ids of those
// deliveries that have to come again: bodies that are no job, and jobs of which
// something could be put neither to its connections nor back on the queue.
// Everything else that goes wrong becomes a job of its own.
//
// A deadline of ctx is kept: see Options.DeadlineMargin.
func (w *Worker) Handle(ctx context.Context, deliveries []Delivery) (failed []string) {
	within, cancel := newBudget(ctx, w.options.DeadlineMargin)
	defer cancel()
	if within.spent() {
		w.log.ErrorContext(ctx, "no time to fan out: the deadline is nearer than the margin",
			"margin", w.options.DeadlineMargin, "queueMessages", ids(deliveries))
		return ids(deliveries)
	}
	jobs, failed := w.decode(ctx, deliveries)
	return append(failed, w.runAll(within, scansFirst(coalesce(jobs)))...)
}

// runAll makes a pass for each batch, side by side, and returns the deliveries of
// those that failed.
func (w *Worker) runAll(within budget, batches []batch) (failed []string) {
	lost := make([]bool, len(batches))
	var group errgroup.Group
	group.SetLimit(maxPasses)
	for i, b := range batches {
		group.Go(func() error {
			lost[i] = w.run(within, b) != nil
			return nil
		})
	}
	group.Wait()
	for i, b := range batches {
		if lost[i] {
			failed = append(failed, b.deliveries...)
		}
	}
	return failed
}

// scansFirst puts the batches that go over the table before those for connections
// by name: most of these have failed before, and must not keep the others waiting.
func scansFirst(batches []batch) []batch {
	slices.SortStableFunc(batches, func(a, b batch) int {
		return cmp.Compare(min(1, len(a.Only)), min(1, len(b.Only)))
	})
	return batches
}

func ids(deliveries []Delivery) []string {
	all := make([]string, 0, len(deliveries))
	for _, d := range deliveries {
		all = append(all, d.ID)
	}
	return all
}

// UnservedError says why a job became a dead letter at once: this release cannot
// find its recipients. It is never taken for a job for everyone.
type UnservedError struct{ To domain.Recipients }

func (e *UnservedError) Error() string {
	return fmt.Sprintf("this release serves everyone alone, and not %s", e.To)
}

// decode reads the bodies. One that is no job fails by itself, over and over
// until the queue moves it to its dead-letter queue, and holds up no other. A job
// for others than everyone becomes a dead letter as it is.
func (w *Worker) decode(ctx context.Context, deliveries []Delivery) (jobs []received, failed []string) {
	for _, d := range deliveries {
		job, err := domain.DecodeJob(d.Body)
		if err == nil && job.To != domain.ToEveryone() {
			if w.requeue(ctx, requeuedJob{Job: job, err: &UnservedError{job.To}, hopeless: true}) != nil {
				failed = append(failed, d.ID)
			}
			continue
		}
		if err != nil {
			w.log.ErrorContext(ctx, "job refused", "queueMessage", d.ID, "error", err)
			failed = append(failed, d.ID)
			continue
		}
		jobs = append(jobs, received{job, d.ID})
	}
	return jobs, failed
}

// run works a batch off. Its error says that something of it is in nobody's hands
// unless the deliveries come again; it has been logged.
func (w *Worker) run(within budget, b batch) error {
	envelopes := domain.Pack(b.Messages, domain.MaxPayload)
	if parts := w.parts(b); parts > 1 && w.tooLarge(within.posts, len(envelopes)) {
		return w.split(within, b, envelopes, parts)
	}
	_, err := w.pass(within, b, envelopes)
	return err
}

// pass makes one pass and returns for how long it had posts to begin.
func (w *Worker) pass(within budget, b batch, envelopes []domain.Envelope) (busy time.Duration, err error) {
	p, err := w.newPass(within, b, envelopes)
	if err != nil {
		w.log.WarnContext(within.ctx, "not fanned out", "messageIds", chunks(b.Messages)[0], "error", err)
		return 0, w.requeue(within.ctx, w.options.requeued(b, scope{b.Only, b.Span}, unavailable, err))
	}
	p.run()
	report := p.report()
	w.observe(func(o Observer) { o.Passed(within.ctx, report) })
	return p.busy, p.lost
}
