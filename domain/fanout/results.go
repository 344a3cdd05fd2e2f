package fanout

import (
	"context"
	"errors"
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

// result is what came of the posts to a target that was not served.
type result int

const (
	untried     result = iota // no time left
	rateLimited               // no turn under the quota
	notYetOpen                // gone, but perhaps not open yet
	unconfirmed               // gone, which is yet to be confirmed
	unavailable               // throttled, or any other error that may pass
	timedOut                  // ran into the time limit of a post
	rejected                  // for good; whether the connection alone is still to be found out
	toPrune                   // gone, which is confirmed
	allResults
)

// results holds the targets that were not served, by what came of their posts. It
// may be used concurrently.
type results struct {
	mu      sync.Mutex
	targets [allResults][]target
}

// add notes targets with the result.
func (r *results) add(which result, targets ...target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets[which] = append(r.targets[which], targets...)
}

// take returns the targets with the result and forgets them, if there are at least
// so many.
func (r *results) take(which result, atLeast int) []target {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.targets[which]
	if len(taken) < atLeast {
		return nil
	}
	r.targets[which] = nil
	return taken
}

// classify puts a target that a post failed for on the list where it belongs.
func (p *pass) classify(t target) {
	switch {
	case errors.Is(t.err, context.DeadlineExceeded):
		p.results.add(timedOut, t)
	case errors.Is(t.err, ports.ErrGone), errors.Is(t.err, ports.ErrRejected) && t.alone:
		p.classifyGone(t)
	case errors.Is(t.err, ports.ErrRejected):
		p.results.add(rejected, t)
		p.probe()
	default:
		p.results.add(unavailable, t)
	}
}

// classifyGone puts a target where it belongs that seems to be gone. One answer does not
// prove it: the socket may not be open yet, and API Gateway has been seen to answer
// so for one that was. The clocks of the registration and of this worker decide
// only how soon the target is tried again.
func (p *pass) classifyGone(t target) {
	switch o := p.worker.options; {
	case t.GoneFor >= max(o.OpenGrace, o.ConfirmGoneAfter):
		p.results.add(toPrune, t)
	case t.GoneFor < o.OpenGrace && (t.GoneFor > 0 || t.Fresh(time.Now(), o.OpenGrace)):
		p.results.add(notYetOpen, t)
	case o.ConfirmGoneAfter > 0:
		p.results.add(unconfirmed, t)
	default:
		p.results.add(toPrune, t)
	}
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
