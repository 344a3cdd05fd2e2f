package fanout

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// retryTime is how long a pass over connections that failed before may begin
	// posts. The rest then goes behind everything else on the queue.
	retryTime = 5 * time.Second
	// slowPassLimit is how long a pass waits for its last posts and still repeats the
	// failed ones itself. The next messages wait for the worker meanwhile.
	slowPassLimit = time.Second
	// pruneTime bounds a deletion: it keeps the worker no longer than a slow post.
	pruneTime = 3 * time.Second
	// postTurn is how long posts follow each other in one slot of the pool before
	// another pass can have it.
	postTurn = 5 * time.Millisecond
	// retryTurn is the same for retries: of a pool with a single slot they get a
	// sixth of the time.
	retryTurn = postTurn / 5
)

// budget is the time of an invocation, or of a pass within it. The margin before the
// deadline is for ending:
//
//	deadline - margin       begin nothing new; end the posts under way
//	deadline - margin / 2   the posts have ended; requeue, then prune
//	deadline - margin / 4   the deletions have ended, also those that a scan waits for
//	deadline                the invocation has ended
//
// Without a deadline all of it lasts until the context ends.
type budget struct {
	ctx    context.Context // of the invocation; for what must not be lost
	posts  context.Context // for posts and scans: ends half the margin before the deadline
	margin time.Duration
	end    time.Time     // when to begin nothing new; zero is never
	turn   time.Duration // for posts in one slot of the pool
}

// newBudget returns the budget of an invocation. The caller calls cancel when that
// is over.
func newBudget(ctx context.Context, margin time.Duration) (b budget, cancel context.CancelFunc) {
	b = budget{ctx: ctx, margin: margin, turn: postTurn}
	b.posts, cancel = b.before(margin / 2)
	if deadline, ok := ctx.Deadline(); ok {
		b.end = deadline.Add(-margin)
	}
	return b, cancel
}

// forRetry returns the budget of a pass over connections that failed before.
func (b budget) forRetry() budget {
	if end := time.Now().Add(retryTime); b.end.IsZero() || end.Before(b.end) {
		b.end = end
	}
	b.turn = retryTurn
	return b
}

// spent reports whether to begin nothing new.
func (b budget) spent() bool {
	return b.ctx.Err() != nil || !b.end.IsZero() && time.Now().After(b.end)
}

// left returns d, or what is left of the budget if that is less.
func (b budget) left(d time.Duration) time.Duration {
	if b.end.IsZero() {
		return d
	}
	return min(d, time.Until(b.end))
}

// pause waits for d, give or take half, and reports whether there is time to go on
// after it. It does not wait if there would not be.
func (b budget) pause(d time.Duration) bool {
	d = jittered(d)
	return b.left(d) == d && sleep(b.ctx, d)
}

// deletion returns the context of a deletion.
func (b budget) deletion() (context.Context, context.CancelFunc) {
	ctx, cancel := b.before(b.margin / 4)
	ctx, stop := context.WithTimeout(ctx, pruneTime)
	return ctx, func() { stop(); cancel() }
}

// before returns a context that ends d before the deadline.
func (b budget) before(d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := b.ctx.Deadline(); ok {
		return context.WithDeadline(b.ctx, deadline.Add(-d))
	}
	return context.WithCancel(b.ctx)
}

// sleep waits for d and reports whether the context lasted that long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// jittered returns d give or take half of it.
func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d)
}
