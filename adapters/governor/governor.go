// Package governor keeps the posts of a worker within its share of the account's quota,
// and slows down if the gateway refuses posts anyway.
package governor

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Options tune a governor.
type Options struct {
	// PerSecond is the sustained rate of posts a second. 0 means unlimited.
	PerSecond float64
	// Burst is how many posts pass at once after a pause. Default: half of PerSecond, as
	// in the account's default quota of 10,000 a second with a burst of 5,000.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
	Burst int
}

// Governor is a ports.Poster that lets posts through to another at a limited rate. It is
// safe for concurrent use. Posts wait for their turn: while nothing is refused, n
// simultaneous posts wait at most n / PerSecond seconds.
type Governor struct {
	poster ports.Poster
	// turn is held by the post that waits for the bucket. The others wait for turn:
	// otherwise the bucket would tell all of them at once how long to wait, and they
	// would stick to that after the pace has changed.
	turn   chan struct{}
	bucket *rate.Limiter
	pace   pace
	recent counts
	now    func() time.Time // time.Now, but in tests
}

// counts are the posts since the pace was last checked.
type counts struct {
	posts, refused atomic.Int64
}

// New returns a governor in front of the poster, or the poster itself if the rate is not
// limited.
func New(poster ports.Poster, opts Options) ports.Poster {
	if opts.PerSecond <= 0 {
		return poster
	}
	burst := cmp.Or(opts.Burst, max(1, int(opts.PerSecond/2)))
	return &Governor{
		poster: poster,
		turn:   make(chan struct{}, 1),
		bucket: rate.NewLimiter(rate.Limit(opts.PerSecond), burst),
		pace:   pace{full: opts.PerSecond, now: opts.PerSecond, since: time.Now().Round(0)},
		now:    time.Now,
	}
}

// Prepare prepares the payload with the governed poster. A post whose turn does
// not come before its context ends fails with ErrNotSent.
func (g *Governor) Prepare(payload []byte) (ports.Post, error) {
	post, err := g.poster.Prepare(payload)
	if err != nil {
		return nil, err
	}
	return g.govern(post), nil
}

// Closing governs the closing of connections like posts.
func (g *Governor) Closing() ports.Post { return g.govern(g.poster.Closing()) }

func (g *Governor) govern(post ports.Post) ports.Post {
	return func(ctx context.Context, id domain.ConnectionID) error {
		if err := g.wait(ctx); err != nil {
			return fmt.Errorf("post to %s: %w: %w", id, ports.ErrNotSent, err)
		}
		err := post(ctx, id)
		g.recent.add(err)
		return err
	}
}

// wait returns when it is the post's turn.
func (g *Governor) wait(ctx context.Context) error {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now := g.now().Round(0) // without the monotonic clock, which stops while a Lambda is frozen
	if perSecond, storm, changed := g.pace.next(&g.recent, now); changed {
		g.adopt(perSecond, storm, now)
	}
	return g.await(ctx, g.bucket.ReserveN(now, 1), now)
}

// await waits as long as the reservation says, or gives it back if the context ends
// first.
func (g *Governor) await(ctx context.Context, r *rate.Reservation, now time.Time) error {
	delay := r.DelayFrom(now)
	if delay == 0 {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
		r.CancelAt(now)
		return context.DeadlineExceeded
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		r.CancelAt(g.now().Round(0))
		return ctx.Err()
	}
}

// adopt sets the rate. In a storm it also removes saved-up tokens, which would keep the
// storm going at the old rate.
func (g *Governor) adopt(perSecond float64, storm bool, now time.Time) {
	g.bucket.SetLimitAt(now, rate.Limit(perSecond))
	if saved := int(g.bucket.TokensAt(now)); storm && saved > 0 {
		g.bucket.AllowN(now, saved)
	}
}
