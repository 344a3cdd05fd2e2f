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

// Options are the settings of a worker. The zero value of each is its default.
type Options struct {
	// InFlight is how many posts are under way at once. Default: 256.
	InFlight int
	// OpenGrace is how long after its registration a connection's socket may still be
	// about to open, so that Gone does not mean that it has closed. It must be longer
	// than the $connect handler and a post can take. Default: 10 s.
	OpenGrace time.Duration
	// ConfirmGoneAfter is the delay before a second post to a connection that one found
	// gone. The row is pruned when the second does too. (While a socket may be about to
	// open there are more posts, see OpenGrace.) At least OpenGrace, unless it is
	// PruneAtOnce. Default: OpenGrace.
	ConfirmGoneAfter time.Duration
	// Repeats is how often a pass posts again to the connections that failed, once all
	// others were served. A negative value is never. Default: 2.
	Repeats int
	// Backoff is the pause before the first repeat, give or take half. It doubles with
	// each. Default: 100 ms.
	Backoff time.Duration
	// RequeueDelay is how long a job that failed once waits on the queue, give or take
	// half. It doubles with each attempt. Default: 1 s.
	RequeueDelay time.Duration
	// MaxRequeueDelay is where that ends; ports.MaxQueueDelay bounds it. Default: 5 min.
	MaxRequeueDelay time.Duration
	// MaxAttempts is how often a job may fail before it goes to the dead-letter queue;
	// ten take about eight minutes. Default: 10.
	MaxAttempts int
	// DeadlineMargin is how long before the deadline of its context a pass begins
	// nothing new. The posts under way have half of it to end, which must be longer than
	// a post takes. The other half is for requeueing and, except for the last quarter,
	// for pruning. Default: 10 s.
	DeadlineMargin time.Duration
	// TargetTime is how long a pass goes on with the payloads of one connection. The others
	// then go behind newer messages. Default: 3 s.
	TargetTime time.Duration
	// PassTime is how long a pass over the whole table may take one worker. A job that
	// would take longer is split. Default: 1 s.
	PassTime time.Duration
	// Parts is the number of parts that such a job is split into. The worker that splits
	// it keeps one, and each of the others should have a worker of its own. 0 and 1 split
	// nothing. Default: 0.
	Parts int
	// ChannelParts is the same for a job for a user or a room.
	ChannelParts int
	// PostsPerSecond is how many posts a second the worker can make to everyone, if that
	// is known before its first pass: its share of a quota. ChannelPostsPerSecond is the
	// same for users and rooms. Default: not known.
	PostsPerSecond, ChannelPostsPerSecond float64
	// MaxHeld is how many connections a pass remembers for each result before it
	// requeues or prunes them at the end of a page. Together with the size of a page it
	// bounds a pass's memory, however large the table. Default: 2,000.
	MaxHeld int
}

func (o Options) withDefaults() Options {
	openGrace := cmp.Or(o.OpenGrace, 10*time.Second)
	return Options{
		InFlight:              cmp.Or(o.InFlight, 256),
		OpenGrace:             openGrace,
		ConfirmGoneAfter:      confirmGoneAfter(o.ConfirmGoneAfter, openGrace),
		Repeats:               max(0, cmp.Or(o.Repeats, 2)),
		Backoff:               cmp.Or(o.Backoff, 100*time.Millisecond),
		RequeueDelay:          cmp.Or(o.RequeueDelay, time.Second),
		MaxRequeueDelay:       min(cmp.Or(o.MaxRequeueDelay, 5*time.Minute), ports.MaxQueueDelay),
		MaxAttempts:           cmp.Or(o.MaxAttempts, 10),
		DeadlineMargin:        cmp.Or(o.DeadlineMargin, 10*time.Second),
		TargetTime:            cmp.Or(o.TargetTime, 3*time.Second),
		PassTime:              cmp.Or(o.PassTime, time.Second),
		Parts:                 o.Parts,
		PostsPerSecond:        o.PostsPerSecond,
		ChannelParts:          o.ChannelParts,
		ChannelPostsPerSecond: o.ChannelPostsPerSecond,
		MaxHeld:               cmp.Or(o.MaxHeld, 2_000),
	}
}

// confirmGoneAfter returns the setting, but not less than a socket may take to open.
// A row is then pruned only after its socket had the time to open, whatever the clocks
// say: the queue keeps the delays of jobs.
func confirmGoneAfter(set, openGrace time.Duration) time.Duration {
	if set < 0 {
		return 0
	}
	return min(max(set, openGrace), ports.MaxQueueDelay)
}

// requeueDelay returns how long a job waits after that many failed attempts. It is
// jittered at the maximum too, or jobs that reached it would return in step.
func (o Options) requeueDelay(attempt int) time.Duration {
	return min(jittered(min(o.RequeueDelay<<min(attempt-1, 20), o.MaxRequeueDelay)), ports.MaxQueueDelay)
}

// openingDelay returns how long to wait before the next post to targets that may be
// about to open: a tenth of OpenGrace, and after that as long as they have been gone, so
// that only a few posts find them gone.
func (o Options) openingDelay(targets []domain.Target) time.Duration {
	delay := o.OpenGrace
	for _, t := range targets {
		delay = min(delay, t.GoneFor)
	}
	return min(max(delay, o.OpenGrace/10, time.Millisecond), ports.MaxQueueDelay)
}
