// Package fanout is the use case of a worker. It takes jobs from the queues and posts
// their messages to their connections. It finishes a job, or requeues the rest of it
// as smaller jobs.
//
// A [Worker] makes one batch of all jobs that arrived together and share their
// connections. A batch takes a pass over these connections: its posts run in the
// worker's pool, within the budget of the invocation. Each connection that was not
// served has a result, and the results decide what is requeued and which rows are
// pruned. A batch that would take one worker too long, by the throughput of earlier
// passes, is split. An [Observer] gets a [Report] of each pass.
package fanout

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// maxPasses is how many passes run side by side, so that one over a few slow
// connections does not hold up the others. Lambda gets retries in batches of this size.
const maxPasses = 10

// Worker processes jobs. Its methods may be called concurrently.
type Worker struct {
	outside    Ports
	log        *slog.Logger
	observers  []Observer
	options    Options
	pool       pool
	throughput throughput
}

// Ports is what a worker needs from outside.
type Ports struct {
	Connections ports.ConnectionStore
	Poster      ports.Poster
	// RetryPoster makes the posts of retries, see domain.Job.Retry; Poster if nil.
	RetryPoster ports.Poster
	// Parts gets what was not tried yet: parts of a split job, the rest of a scan,
	// connections that there was no time for. Retries gets the retries. They can be
	// the same queue, but then the retries of slow clients delay new messages.
	Parts, Retries ports.Queue
	DeadLetters    ports.Queue
	// Observer hears what the worker does; its log always does. It can be nil.
	Observer Observer
}

// New returns a worker that has learned nothing yet.
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

// Handle processes the jobs that arrived together. It returns the ids of the
// deliveries that must be redelivered: those whose body is not a job, those with work
// that could be neither done nor requeued, and all of them if there is no time to begin.
// Every other failure becomes a job.
//
// Handle keeps the deadline of ctx; see Options.DeadlineMargin.
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

// runAll processes the batches side by side and returns the deliveries of those that
// failed.
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

// scansFirst puts batches that scan before those for named connections. Most of the
// latter have failed before, and the others must not wait for them.
func scansFirst(batches []batch) []batch {
	slices.SortStableFunc(batches, func(a, b batch) int {
		return cmp.Compare(min(1, len(a.Only)), min(1, len(b.Only)))
	})
	return batches
}

// run processes a batch. After an error, part of it is lost unless its deliveries are
// redelivered. The error has been logged.
func (w *Worker) run(within budget, b batch) error {
	envelopes := domain.Pack(b.Messages, domain.MaxPayload)
	if parts := w.parts(b); parts > 1 && w.tooLarge(within.posts, len(envelopes)) {
		return w.split(within, b, envelopes, parts)
	}
	_, err := w.pass(within, b, envelopes)
	return err
}

// pass makes one pass. It returns the time until the last post began, not counting
// repeats.
func (w *Worker) pass(within budget, b batch, envelopes []domain.Envelope) (busy time.Duration, err error) {
	p, err := w.newPass(within, b, envelopes)
	if err != nil {
		for _, ids := range chunks(b.Messages) {
			w.log.WarnContext(within.ctx, "not fanned out", "messageIds", ids, "error", err)
		}
		which := unavailable
		if errors.Is(err, ports.ErrTooLarge) {
			which = tooLarge
		}
		return 0, w.requeue(within.ctx, w.options.requeued(b, scope{b.Only, b.Span}, which, err))
	}
	p.run()
	report := p.report()
	w.observe(func(o Observer) { o.Passed(within.ctx, report) })
	return p.busy, p.lost
}
