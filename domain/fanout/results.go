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
	suspect  bool  // rejected although the worker may post: another rejection is like gone
	short    bool  // an envelope before was too large; it has failed, whatever comes of the others
}

// result is why a target was not served.
type result int

const (
	untried     result = iota // no time left
	rateLimited               // the post was not begun: no room in the quota, or no time
	notYetOpen                // gone, but its socket may be about to open
	unconfirmed               // gone, or rejected alone, by one post
	unavailable               // throttled, or any other error that may pass
	timedOut                  // the post took too long; requeued like unavailable
	tooLarge                  // the gateway's limit is lower than this one payload
	rejected                  // a repeat will not help; probe finds out whether others are too
	toPrune                   // gone, confirmed
	allResults
)

// results holds the targets of a pass that were not served. It may be used
// concurrently.
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

// take removes and returns the targets with the result, if there are at least that
// many.
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

// classify notes the result of a post that failed.
func (p *pass) classify(t target) {
	switch {
	case errors.Is(t.err, context.DeadlineExceeded):
		p.results.add(timedOut, t)
	case errors.Is(t.err, ports.ErrGone), errors.Is(t.err, ports.ErrRejected) && t.suspect:
		p.classifyGone(t)
	case errors.Is(t.err, ports.ErrRejected):
		p.results.add(rejected, t)
		p.probe()
	default:
		p.results.add(unavailable, t)
	}
}

// classifyGone notes the result for a target that seems to be gone. One answer does
// not prove it: the socket may not be open yet, and API Gateway has answered 410 for
// open ones. The clocks of the registration and of this worker only decide how soon
// the target is tried again.
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

// reason picks the error to report for all the targets: an unexpected one, if there
// is any.
func reason(failed []target) error {
	for _, t := range failed {
		if unexpected(t.err) {
			return t.err
		}
	}
	return failed[0].err
}

// unexpected reports whether an error is more than a slow client or a used-up quota,
// so that an operator may have to act.
func unexpected(err error) bool {
	return err != nil && !errors.Is(err, ports.ErrThrottled) && !errors.Is(err, context.DeadlineExceeded)
}
