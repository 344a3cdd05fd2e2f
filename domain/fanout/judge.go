package fanout

import (
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/ports"
)

// maxJudged is how many connections that were rejected are posted to again at once.
const maxJudged = 16

// barrier ends a pass when it turns out that this worker may not post.
type barrier struct {
	judging sync.Mutex
	barred  atomic.Bool
	err     error // why, once barred
}

// why returns why the worker may not post, or nil.
func (b *barrier) why() error {
	if !b.barred.Load() {
		return nil
	}
	return b.err
}

// judge finds out what the rejections so far are about. A lost permission or a
// wrong stage looks the same as an id that the gateway does not like, but not to a
// post to nobody. Where that is rejected too, no post can succeed and the pass ends.
// Where it is found gone, those that were rejected before get another post: the
// permission may have come back in between, and who is rejected now is rejected
// alone. After any other answer nobody knows, and they have just failed.
//
// It does nothing while it runs already; what is rejected meanwhile is judged the
// next time, at the latest at the end of the pass.
func (p *pass) judge() {
	if !p.judging.TryLock() {
		return
	}
	defer p.judging.Unlock()
	rejected := p.outcome.take(&p.outcome.rejected, 1)
	if len(rejected) == 0 {
		return
	}
	if !p.ask() {
		p.outcome.add(&p.outcome.failed, rejected...)
		return
	}
	var posts errgroup.Group
	posts.SetLimit(maxJudged)
	for _, t := range rejected {
		t.alone = true
		posts.Go(func() error {
			p.post(t)
			return nil
		})
	}
	waitFor(&posts)
}

// ask posts to nobody and reports whether this worker may post.
func (p *pass) ask() bool {
	if p.barred.Load() {
		return false
	}
	p.tally.posts.Add(1)
	err := p.posts[0](p.work, ports.Nobody)
	if errors.Is(err, ports.ErrRejected) {
		p.err = err
		p.barred.Store(true)
		p.log.ErrorContext(p.ctx, "the gateway rejects all posts: wrong endpoint, or no permission to post",
			"messageIds", portions(p.batch.Messages)[0], "error", err)
	}
	return err == nil || errors.Is(err, ports.ErrGone)
}
