package fanout

import (
	"errors"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/ports"
)

// maxProbed is how many rejected connections are posted to again at once.
const maxProbed = 16

// permission is whether this worker may post at all; a pass ends when it may not.
type permission struct {
	probing sync.Mutex
	denied  atomic.Bool
	err     error // why, once denied
}

// why returns why the worker may not post, or nil.
func (p *permission) why() error {
	if !p.denied.Load() {
		return nil
	}
	return p.err
}

// probe finds out whether the gateway rejects the targets alone, or every post. A
// lost permission and a wrong stage are answered like an id that the gateway does not
// accept, so probe posts to a connection that does not exist. If that is rejected too,
// no post can succeed, and the pass ends. If it is gone, the rejected targets get
// another post, as the permission may have come back in between; one that is rejected
// again is rejected alone. After any other answer they count as failed.
//
// Only one probe runs at a time. Targets that are rejected meanwhile wait for the
// next one, or for the end of the pass.
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
		t.suspect = true
		posts.Go(func() error {
			p.post(t)
			return nil
		})
	}
	waitFor(&posts)
}

// ask posts to a connection that does not exist, and reports whether this worker may
// post.
func (p *pass) ask() bool {
	if p.permission.denied.Load() {
		return false
	}
	p.tally.posts.Add(1)
	err := p.posts[0](p.budget.posts, ports.Nobody)
	if errors.Is(err, ports.ErrRejected) {
		p.permission.err = err
		p.permission.denied.Store(true)
		for _, ids := range chunks(p.batch.Messages) {
			p.worker.log.ErrorContext(p.budget.ctx, "the gateway rejects all posts: wrong endpoint, or no permission to post",
				"messageIds", ids, "error", err)
		}
	}
	return err == nil || errors.Is(err, ports.ErrGone)
}
