package fanout

import (
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/ports"
)

// maxProbed is how many connections that were rejected are posted to again at once.
const maxProbed = 16

// permission ends a pass when it turns out that this worker may not post.
type permission struct {
	probing sync.Mutex
	denied  atomic.Bool
	err     error // why, once denied
}

// why returns why the worker may not post, or nil.
func (l *permission) why() error {
	if !l.denied.Load() {
		return nil
	}
	return l.err
}

// probe finds out what the rejections so far are about. A lost permission or a
// wrong stage looks the same as an id that the gateway does not like, but not to a
// post to nobody. Where that is rejected too, no post can succeed and the pass ends.
// Where it is found gone, those that were rejected before get another post: the
// permission may have come back in between, and who is rejected now is rejected
// alone. After any other answer nobody knows, and they have just failed.
//
// It does nothing while it runs already; what is rejected meanwhile is probed the
// next time, at the latest at the end of the pass.
func (p *pass) probe() {
	if !p.permission.probing.TryLock() {
		return
	}
	defer p.permission.probing.Unlock()
	targets := p.results.take(rejected, 1)
	if len(targets) == 0 {
		return
	}
	if !p.ask() {
		p.results.add(unavailable, targets...)
		return
	}
	var posts errgroup.Group
	posts.SetLimit(maxProbed)
	for _, t := range targets {
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
	if p.permission.denied.Load() {
		return false
	}
	p.tally.posts.Add(1)
	err := p.posts[0](p.budget.posts, ports.Nobody)
	if errors.Is(err, ports.ErrRejected) {
		p.permission.err = err
		p.permission.denied.Store(true)
		p.worker.log.ErrorContext(p.budget.ctx, "the gateway rejects all posts: wrong endpoint, or no permission to post",
			"messageIds", chunks(p.batch.Messages)[0], "error", err)
	}
	return err == nil || errors.Is(err, ports.ErrGone)
}
