package fanout

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// target is a connection and the first envelope that it still has to get.
type target struct {
	domain.Target
	envelope int
	err      error // of the last try
	alone    bool  // it was rejected when others were not
}

// results holds the targets that were not served, by what is to become of them.
type results struct {
	mu          sync.Mutex
	untried     []target // no time left
	rateLimited []target // no turn under the quota
	notYetOpen  []target // gone, but perhaps not open yet
	unconfirmed []target // gone, which is yet to be confirmed
	failed      []target // throttled or unavailable
	timedOut    []target // ran into the time limit of a post
	rejected    []target // for good; whether the connection alone is still to be found out
	gone        []target // to be pruned
}

// add notes targets on one of the lists.
func (o *results) add(list *[]target, targets ...target) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*list = append(*list, targets...)
}

// take empties one of the lists if it has at least so many targets.
func (o *results) take(list *[]target, atLeast int) []target {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(*list) < atLeast {
		return nil
	}
	taken := *list
	*list = nil
	return taken
}

// classify puts a target that a post failed for on the list where it belongs.
func (p *pass) classify(t target) {
	switch {
	case errors.Is(t.err, context.DeadlineExceeded):
		p.results.add(&p.results.timedOut, t)
	case errors.Is(t.err, ports.ErrGone), errors.Is(t.err, ports.ErrRejected) && t.alone:
		p.classifyGone(t)
	case errors.Is(t.err, ports.ErrRejected):
		p.results.add(&p.results.rejected, t)
		p.probe()
	default:
		p.results.add(&p.results.failed, t)
	}
}

// classifyGone puts a target where it belongs that seems to be gone. One answer does not
// prove it: the socket may not be open yet, and API Gateway has been seen to answer
// so for one that was. The clocks of the registration and of this worker decide
// only how soon the target is tried again.
func (p *pass) classifyGone(t target) {
	switch o := p.options; {
	case t.GoneFor >= max(o.OpenGrace, o.ConfirmGoneAfter):
		p.results.add(&p.results.gone, t)
	case t.GoneFor < o.OpenGrace && (t.GoneFor > 0 || t.Fresh(time.Now(), o.OpenGrace)):
		p.results.add(&p.results.notYetOpen, t)
	case o.ConfirmGoneAfter > 0:
		p.results.add(&p.results.unconfirmed, t)
	default:
		p.results.add(&p.results.gone, t)
	}
}

// handOn makes jobs of what targets still have to get, of each list of the
// results that has at least so many.
func (p *pass) handOn(atLeast int) {
	take := func(list *[]target) []target { return p.results.take(list, atLeast) }
	untried, failed := take(&p.results.untried), slices.Concat(take(&p.results.failed), take(&p.results.timedOut))
	if p.denied.Load() {
		untried, failed = nil, append(failed, untried...)
	}
	notYetOpen, unconfirmed := take(&p.results.notYetOpen), take(&p.results.unconfirmed)
	p.tally.notYetOpen += len(notYetOpen)
	p.tally.unconfirmed += len(unconfirmed)
	p.leaveOver(slices.Concat(
		p.jobs(untried, batch.carriedOn),
		p.jobs(take(&p.results.rateLimited), func(b batch, rest scope) leftover {
			return b.later(rest, p.options.requeueDelay(1))
		}),
		p.jobs(notYetOpen, func(b batch, rest scope) leftover {
			return b.askAgain(rest, p.options.openingDelay(rest.only))
		}),
		p.jobs(unconfirmed, func(b batch, rest scope) leftover {
			return b.askAgain(rest, p.options.ConfirmGoneAfter)
		}),
		p.failures(failed),
	)...)
}

// jobs makes a job of each part of what the targets are owed.
func (p *pass) jobs(targets []target, job func(batch, scope) leftover) (all []leftover) {
	for part, rest := range p.remainders(targets) {
		all = append(all, job(part, rest))
	}
	return all
}

// failures makes jobs of what targets are owed that have failed.
func (p *pass) failures(failed []target) []leftover {
	if len(failed) == 0 {
		return nil
	}
	why := cmp.Or(p.why(), reason(failed))
	p.tally.failed += len(failed)
	p.tally.reason = cmp.Or(p.tally.reason, why)
	return p.jobs(failed, func(b batch, rest scope) leftover { return b.failed(rest, why) })
}

// reason picks the error to give for all the targets: one that says more than
// that a client or a quota was slow, if there is any.
func reason(failed []target) error {
	for _, t := range failed {
		if unexpected(t.err) {
			return t.err
		}
	}
	return failed[0].err
}

// unexpected reports whether an error says more than that a client or a quota was
// slow: somebody may have to do something.
func unexpected(err error) bool {
	return err != nil && !errors.Is(err, ports.ErrThrottled) && !errors.Is(err, context.DeadlineExceeded)
}
