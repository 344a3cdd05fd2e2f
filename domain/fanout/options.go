package fanout

import (
	"cmp"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// PruneAtOnce, or any negative ConfirmGoneAfter, prunes a row as soon as one post
// finds its connection gone.
const PruneAtOnce time.Duration = -1

// Options are the settings of a worker. The zero value of each is its default, which
// its comment gives last.
type Options struct {
	// InFlight is how many posts are under way at once; 256.
	InFlight int
	// OpenGrace is how long after its registration a connection's socket may still be
	// about to open, so that Gone does not mean that it has closed. It must be longer
	// than the $connect handler and a post can take; 10 s.
	OpenGrace time.Duration
	// ConfirmGoneAfter is the delay before a second post to a connection that the first
	// one found gone. The row is pruned when both did. It is at least OpenGrace;
	// PruneAtOnce makes no second post; OpenGrace.
	ConfirmGoneAfter time.Duration
	// Repeats is how often a pass posts again to the connections that failed, once all
	// others were served. A negative value is never; 2.
	Repeats int
	// Backoff is the pause before the first repeat, give or take half. It doubles with
	// each; 100 ms.
	Backoff time.Duration
	// RequeueDelay is how long a job that failed once waits on the queue, give or take
	// half. It doubles with each attempt; 1 s.
	RequeueDelay time.Duration
	// MaxRequeueDelay bounds RequeueDelay, and ports.MaxQueueDelay bounds both; 5 min.
	MaxRequeueDelay time.Duration
	// MaxAttempts is how often a job may fail before it goes to the dead-letter queue;
	// 10, which take about eight minutes.
	MaxAttempts int
	// DeadlineMargin is how long before the deadline of its context a pass begins
	// nothing new. The posts under way have half of it to end, which must be longer than
	// a post takes. The other half is for requeueing and, except for the last quarter,
	// for pruning; 10 s.
	DeadlineMargin time.Duration
	// PassTime is how long a pass over the whole table may take one worker. A job that
	// would take longer is split; 1 s.
	PassTime time.Duration
	// Workers is the number of parts that such a job is split into. The worker that
	// splits it keeps one, and each of the others should have a worker of its own.
	// 0 and 1 split nothing; 0.
	Workers int
	// PostsPerSecond is how many posts a second the worker can make, if that is known
	// before its first pass: its share of a quota; 0, not known.
	PostsPerSecond float64
	// MaxHeld is how many connections a pass remembers for each result before it
	// requeues or prunes them at the end of a page. Together with the size of a page it
	// bounds a pass's memory, however large the table; 2,000.
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

// confirmGoneAfter returns the setting, but not less than a socket may take to open.
// A row is then pruned only after its socket had the time to open, whatever the clocks
// say: the queue keeps the delays of jobs.
func confirmGoneAfter(set, freshFor time.Duration) time.Duration {
	if set < 0 {
		return 0
	}
	return min(max(set, freshFor), ports.MaxQueueDelay)
}

// requeueDelay returns how long a job waits after that many failed attempts.
func (o Options) requeueDelay(attempt int) time.Duration {
	return min(jittered(o.RequeueDelay<<min(attempt-1, 20)), o.MaxRequeueDelay)
}

// openingDelay returns how long to wait before the next post to targets that may be
// about to open: a tenth of OpenGrace at first, then twice as long each time, so that
// only a few posts find them gone.
func (o Options) openingDelay(targets []domain.Target) time.Duration {
	delay := o.OpenGrace
	for _, t := range targets {
		delay = min(delay, t.GoneFor)
	}
	return min(max(delay, o.OpenGrace/10, time.Millisecond), ports.MaxQueueDelay)
}
