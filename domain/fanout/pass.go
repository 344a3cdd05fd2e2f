package fanout

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// pass posts a batch once to its connections.
type pass struct {
	worker     *Worker
	batch      batch
	lane       *lane
	budget     budget
	posts      []ports.Post // one for each envelope
	from       []int        // for each envelope, the index of its first message
	closing    ports.Post
	started    time.Time
	busy       time.Duration // until the last post began, not counting repeats
	permission permission
	results    results
	tally      tally
	pruning    errgroup.Group
	lost       error // set when something could be neither delivered nor requeued
}

func (w *Worker) newPass(within budget, b batch, envelopes []domain.Envelope) (*pass, error) {
	p := &pass{worker: w, batch: b, budget: within, started: time.Now(), lane: w.lane(b.To)}
	p.pruning.SetLimit(maxPruning)
	poster := p.lane.poster
	if b.Retry() {
		p.budget, poster = p.budget.forRetry(), w.outside.RetryPoster
	}
	p.closing = poster.Closing()
	first := 0
	for _, e := range envelopes {
		post, err := poster.Prepare(e.Payload)
		if err != nil {
			return nil, fmt.Errorf("prepare a payload of %d bytes: %w", len(e.Payload), err)
		}
		p.posts = append(p.posts, post)
		p.from = append(p.from, first)
		first += len(e.Messages)
	}
	return p, nil
}

// run posts to all connections, repeats the posts that failed, requeues the rest and
// prunes the gone.
func (p *pass) run() {
	var posts errgroup.Group
	if named := p.batch.Only; p.batch.byName() {
		p.offerAll(&posts, len(named), func(i int) domain.Target { return named[i] })
	} else {
		p.scan(&posts)
	}
	p.busy = time.Since(p.started)
	p.repeat(waitFor(&posts))
	p.probe()
	p.requeue(1)
	p.pruneAll()
}

// offer starts posts to n targets and returns how many there was time to begin.
func (p *pass) offer(posts *errgroup.Group, n int, at func(int) target) (begun int) {
	return p.worker.pool.start(posts, task{
		n: n, post: func(i int) { p.post(at(i)) }, over: p.over, turn: p.budget.turn, retry: p.batch.Retry(),
	})
}

// offerAll offers targets that were not tried yet, and notes those that there was no
// time for.
func (p *pass) offerAll(posts *errgroup.Group, n int, at func(int) domain.Target) {
	begun := p.offer(posts, n, func(i int) target { return target{Target: at(i)} })
	late := make([]target, 0, n-begun)
	for i := begun; i < n; i++ {
		late = append(late, target{Target: at(i)})
	}
	p.results.add(untried, late...)
}

// over reports whether to begin nothing new.
func (p *pass) over() bool {
	return p.permission.denied.Load() || p.budget.spent()
}

// post posts to the target the envelopes that it still has to get, while there is
// time, and notes the result. One that is too large for the gateway is left out.
func (p *pass) post(t target) {
	began, first, before := time.Now(), t.envelope, t.err
	for ; t.envelope < len(p.posts); t.envelope++ {
		if t.envelope > first && (p.over() || time.Since(began) > p.worker.options.TargetTime) {
			p.results.add(untried, t)
			return
		}
		if t.err = p.posts[t.envelope](p.budget.posts, t.ID); errors.Is(t.err, ports.ErrNotSent) {
			p.notSent(t, before)
			return
		}
		p.tally.posts.Add(1)
		if errors.Is(t.err, ports.ErrTooLarge) {
			p.results.add(tooLarge, t)
			t.short, before = true, nil
			continue
		}
		if t.err != nil {
			if errors.Is(t.err, ports.ErrThrottled) {
				p.tally.throttled.Add(1)
			}
			p.classify(t)
			return
		}
		before, t.GoneFor, t.Rejected = nil, 0, false
	}
	if !t.short {
		p.tally.delivered.Add(1)
	}
}

// notSent notes a target whose post was not begun. If it has failed before in this pass,
// it has still failed. A suspect gets another post from a later pass, once: this worker
// may have lost its permission for a moment when the first was rejected.
func (p *pass) notSent(t target, before error) {
	t.err = before
	switch {
	case before == nil:
		p.results.add(rateLimited, t)
	case t.suspect && !t.Rejected:
		t.Rejected = true
		p.results.add(unconfirmed, t)
	default:
		p.classify(t)
	}
}

// repeat posts again to the targets that failed, a few times, after a pause in which
// a client or a quota can recover. All others have been served by then. It ends when
// posts are slow: waited is how long the pass has waited for the last ones.
func (p *pass) repeat(waited time.Duration) {
	for try := 0; try < p.worker.options.Repeats && waited <= slowPassLimit && !p.over(); try++ {
		failed := p.results.take(unavailable, 1)
		if len(failed) == 0 {
			return
		}
		if p.budget.pause(p.worker.options.Backoff << try) {
			var posts errgroup.Group
			begun := p.offer(&posts, len(failed), func(i int) target { return failed[i] })
			waited = waitFor(&posts)
			failed = failed[begun:]
		}
		p.results.add(unavailable, failed...)
	}
}

// waitFor waits for the posts and returns how long that took.
func waitFor(posts *errgroup.Group) time.Duration {
	start := time.Now()
	_ = posts.Wait() // they return no errors
	return time.Since(start)
}
