// Package fanout is the use case of a worker. It takes jobs from the queues and posts
// their messages to their connections. It finishes a job, or requeues the rest of it
// as smaller jobs.
//
// A [Worker] makes one batch of all jobs that arrived together and share their
// connections: those of everyone, of a user or of a room. A batch takes a pass over these
// connections: its posts run in the worker's pool, within the budget of the invocation.
// Each connection that was not served has a result, and the results decide what is
// requeued and which rows are pruned. A batch that would take one worker too long, by the
// speed of earlier passes, is split. An [Observer] gets a [Report] of each pass.
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
	broadcasts lane
	channels   lane
	sizes      sizes
}

// lane is what jobs for everyone, or those for users and rooms, have of their own.
type lane struct {
	poster ports.Poster
	queue  ports.Queue // for what was not tried yet
	parts  int         // that a job is split into
	rests  bool        // whether a worker rests after a split
	speed  speed
}

// lane returns the lane of a job.
func (w *Worker) lane(to domain.Recipients) *lane {
	if to.Kind == domain.Everyone {
		return &w.broadcasts
	}
	return &w.channels
}

// Ports is what a worker needs from outside.
type Ports struct {
	Connections   ports.ConnectionStore
	Subscriptions ports.SubscriptionStore
	Poster        ports.Poster
	// ChannelPoster makes the posts to users and rooms; Poster if nil.
	ChannelPoster ports.Poster
	// RetryPoster makes the posts of retries, see domain.Job.Retry; Poster if nil.
	RetryPoster ports.Poster
	// Parts gets what was not tried yet: parts of a split job, the rest of a scan,
	// connections that there was no time for. Retries gets the retries. They can be
	// the same queue, but then the retries of slow clients delay new messages.
	Parts, Retries ports.Queue
	// Channels gets what was not tried yet of jobs for users and rooms; Parts if nil.
	Channels    ports.Queue
	DeadLetters ports.Queue
	// Log gets the messages before they are posted; nil if none are kept.
	Log ports.MessageLog
	// Conversations gets those from one user to another once the Log has them; nil if none
	// are kept.
	Conversations ports.Conversations
	// Observer hears what the worker does; its log always does. It can be nil.
	Observer Observer
}

// New returns a worker that has learned nothing yet.
func New(outside Ports, log *slog.Logger, options Options) *Worker {
	if outside.RetryPoster == nil {
		outside.RetryPoster = outside.Poster
	}
	if outside.ChannelPoster == nil {
		outside.ChannelPoster = outside.Poster
	}
	if outside.Channels == nil {
		outside.Channels = outside.Parts
	}
	observers := []Observer{logObserver{log}}
	if outside.Observer != nil {
		observers = append(observers, outside.Observer)
	}
	options = options.withDefaults()
	return &Worker{
		outside: outside, log: log, observers: observers, options: options,
		pool: newPool(options.InFlight),
		broadcasts: lane{
			poster: outside.Poster, queue: outside.Parts, parts: options.Parts, rests: true,
			speed: speed{most: options.PostsPerSecond},
		},
		channels: lane{
			poster: outside.ChannelPoster, queue: outside.Channels, parts: options.ChannelParts,
			speed: speed{most: options.ChannelPostsPerSecond},
		},
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
	failed = append(failed, w.runAll(within, scansFirst(coalesce(jobs)))...)
	slices.Sort(failed) // a job can be in several batches
	return slices.Compact(failed)
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
	if w.outside.Log == nil || !b.ToLog() {
		return w.fanOut(within, b)
	}
	batches, err := w.number(within, b)
	for _, b := range batches {
		err = errors.Join(err, w.fanOut(within, b))
	}
	return err
}

// fanOut makes a pass over the batch's connections, or splits it.
func (w *Worker) fanOut(within budget, b batch) error {
	envelopes := domain.Pack(b.To, b.Epoch, b.Messages, domain.MaxPayload)
	if parts := w.parts(b); parts > 1 && w.tooLarge(within.posts, b.To, len(envelopes)) {
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
		w.warn(within.ctx, "not fanned out", b.Messages, err)
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

func (w *Worker) warn(ctx context.Context, text string, messages []domain.Message, err error) {
	for _, ids := range chunks(messages) {
		w.log.WarnContext(ctx, text, "messageIds", ids, "error", err)
	}
}
