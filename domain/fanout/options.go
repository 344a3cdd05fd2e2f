package fanout

import (
	"cmp"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// PruneAtOnce, or any negative value, as ConfirmGoneAfter has a row pruned when one
// post has found its connection gone.
const PruneAtOnce time.Duration = -1

// Options are the settings of a fan-out worker. The zero value of each means
// its default.
type Options struct {
	// InFlight is how many posts the worker has under way at once; 256.
	InFlight int
	// OpenGrace is how long after its registration a connection that answers
	// Gone may be one whose socket is yet to open; 10 s. It must be longer than
	// the $connect handler and a post can take.
	OpenGrace time.Duration
	// ConfirmGoneAfter is how long after the first post that found a connection
	// gone, and not just about to open, a second one must find the same before the
	// row is pruned; OpenGrace, and no shorter. PruneAtOnce asks for no second post.
	ConfirmGoneAfter time.Duration
	// Repeats is how often a pass posts again to the connections that failed,
	// after all others were served; 2. Not at all if negative.
	Repeats int
	// Backoff is the pause before a pass first posts again, give or take half; it
	// doubles with each; 100 ms.
	Backoff time.Duration
	// RequeueDelay is how long the first job that is left over waits on the
	// queue, give or take half; it doubles with each attempt; 1 s.
	RequeueDelay time.Duration
	// MaxRequeueDelay is the longest that it gets; 5 min. No more than
	// ports.MaxQueueDelay.
	MaxRequeueDelay time.Duration
	// MaxAttempts is how often a job may fail before it goes to the dead-letter
	// queue; 10, which with the delays between them takes about eight minutes.
	MaxAttempts int
	// DeadlineMargin is how long before the deadline of its context a pass begins nothing
	// new; 10 s. Half of it is for what is under way to end, and must be longer
	// than a post takes; the other half for putting what is left on the queues and,
	// but for the last quarter, for deleting rows.
	DeadlineMargin time.Duration
	// PassTime is how long a pass over the whole table may take one worker; 1 s. A
	// job that would take longer is split.
	PassTime time.Duration
	// Workers is into how many parts such a job is split. The worker that splits it
	// keeps one, and for each of the others there should be another worker. Up to 1
	// means that nothing is split.
	Workers int
	// PostsPerSecond is how many posts a second the worker can make, as far as that is
	// known before the first pass: its share of a quota. 0 means not known.
	PostsPerSecond float64
	// MaxHeld is how many connections a pass keeps in mind to post to again, and how
	// many to prune, before it hands them on at the end of a page; 2,000. With the
	// size of a page it bounds a pass's memory whatever the table's size.
	MaxHeld int
}

func (o Options) withDefaults() Options {
	freshFor := cmp.Or(o.OpenGrace, 10*time.Second)
	return Options{
		InFlight:         cmp.Or(o.InFlight, 256),
		OpenGrace:        freshFor,
		ConfirmGoneAfter: confirmGoneAfter(o.ConfirmGoneAfter, freshFor),
		Repeats:          max(0, cmp.Or(o.Repeats, 2)),
		Backoff:          cmp.Or(o.Backoff, 100*time.Millisecond),
		RequeueDelay:     cmp.Or(o.RequeueDelay, time.Second),
		MaxRequeueDelay:  min(cmp.Or(o.MaxRequeueDelay, 5*time.Minute), ports.MaxQueueDelay),
		MaxAttempts:      cmp.Or(o.MaxAttempts, 10),
		DeadlineMargin:   cmp.Or(o.DeadlineMargin, 10*time.Second),
		PassTime:         cmp.Or(o.PassTime, time.Second),
		Workers:          o.Workers,
		PostsPerSecond:   o.PostsPerSecond,
		MaxHeld:          cmp.Or(o.MaxHeld, 2_000),
	}
}

// confirmGoneAfter is no shorter than the time that a socket may take to open.
// That way a row is pruned only when its socket has had the time, whatever the
// clocks say: the delays of jobs are kept by the queue.
func confirmGoneAfter(set, freshFor time.Duration) time.Duration {
	if set < 0 {
		return 0
	}
	return min(max(set, freshFor), ports.MaxQueueDelay)
}

// requeueDelay is how long a job waits after so many failed attempts.
func (o Options) requeueDelay(attempt int) time.Duration {
	return min(jittered(o.RequeueDelay<<min(attempt-1, 20)), o.MaxRequeueDelay)
}

// openingDelay is how long to leave targets alone that may be about to open: a
// tenth of the time that they have for it, and twice as long with each answer, so
// that there are a few answers at most.
func (o Options) openingDelay(targets []domain.Target) time.Duration {
	delay := o.OpenGrace
	for _, t := range targets {
		delay = min(delay, t.GoneFor)
	}
	return min(max(delay, o.OpenGrace/10, time.Millisecond), ports.MaxQueueDelay)
}
