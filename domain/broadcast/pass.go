package broadcast

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// maxHeld is how many connections a pass keeps in mind for a retry, and how
// many for pruning, before it hands them on at the end of a page. With the size
// of a page and maxGone it bounds a pass's memory whatever the table's size.
const maxHeld = 2_000

// pass takes a batch once over its audience.
type pass struct {
	*FanOut
	ctx     context.Context // of the invocation
	work    context.Context // for what may be given up: ends half the margin before
	batch   batch
	posts   []ports.Post // one for each envelope
	from    []int        // for each envelope, the index of its first message
	started time.Time
	outcome outcome
	tally   tally
	pruning errgroup.Group
	lost    error // set when something could be neither delivered nor left over
}

func (f *FanOut) newPass(ctx, work context.Context, b batch) (*pass, error) {
	p := &pass{FanOut: f, ctx: ctx, work: work, batch: b, started: time.Now()}
	p.pruning.SetLimit(maxPruning)
	first := 0
	for _, e := range domain.Pack(b.messages, domain.MaxPayload) {
		post, err := f.poster.Prepare(e.Payload)
		if err != nil {
			return nil, fmt.Errorf("prepare a payload of %d bytes: %w", len(e.Payload), err)
		}
		p.posts = append(p.posts, post)
		p.from = append(p.from, first)
		first += len(e.Messages)
	}
	return p, nil
}

// run posts to the audience, tries those that failed again when all others have
// been served, and hands on what is left.
func (p *pass) run() {
	var posts errgroup.Group
	if p.byName() {
		p.outcome.add(&p.outcome.untried, p.offer(&posts, untried(p.batch.audience.Only))...)
	} else {
		p.scan(&posts)
	}
	posts.Wait()
	p.retry()
	p.handOn(1)
	p.pruneAll()
}

// offer starts a post to each target as soon as the worker has a place for it,
// and returns those for which no time was left then.
func (p *pass) offer(posts *errgroup.Group, targets []target) (left []target) {
	for i, t := range targets {
		release := p.slots.acquire(p.byName())
		if p.over() {
			release()
			return targets[i:]
		}
		p.tally.offered++
		posts.Go(func() error {
			defer release()
			p.post(t)
			return nil
		})
	}
	return nil
}

// byName reports whether the pass is for connections by name. Most of these have
// failed before.
func (p *pass) byName() bool { return len(p.batch.audience.Only) > 0 }

// over reports whether to begin nothing new.
func (p *pass) over() bool {
	return p.stopping(p.ctx) || p.byName() && time.Since(p.started) > p.options.PassTime
}

// post sends the target what it still has to get, as long as there is time, and
// notes how that went.
func (p *pass) post(t target) {
	for first := t.envelope; t.envelope < len(p.posts); t.envelope++ {
		if t.envelope > first && p.stopping(p.ctx) {
			p.outcome.add(&p.outcome.untried, t)
			return
		}
		p.tally.posts.Add(1)
		if t.err = p.posts[t.envelope](p.work, t.connection.ID); t.err != nil {
			p.classify(t)
			return
		}
	}
	p.tally.delivered.Add(1)
}

// retry goes over the targets that failed again, a few times, with a pause
// before each so that a client or a quota can recover. All others have been
// posted to by then. Those whose post took too long are not among them: the next
// messages would have to wait for the worker as long as that, time and again.
func (p *pass) retry() {
	for try := range p.options.Retries {
		failed := p.outcome.take(&p.outcome.failed, 1)
		if len(failed) == 0 {
			return
		}
		if p.pause(jittered(p.options.Backoff << try)) {
			var posts errgroup.Group
			failed = p.offer(&posts, failed)
			posts.Wait()
		}
		p.outcome.add(&p.outcome.failed, failed...)
	}
}

// pause waits for d and reports whether there is time to go on after it.
func (p *pass) pause(d time.Duration) bool {
	deadline, ok := p.ctx.Deadline()
	if ok && time.Until(deadline) < d+p.options.Margin {
		return false
	}
	return sleep(p.ctx, d)
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
