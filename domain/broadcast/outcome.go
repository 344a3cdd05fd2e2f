package broadcast

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
	connection domain.Connection
	envelope   int
	err        error // of the last try
}

func untried(connections []domain.Connection) []target {
	targets := make([]target, 0, len(connections))
	for _, c := range connections {
		targets = append(targets, target{connection: c})
	}
	return targets
}

// outcome holds the targets that were not served, by what is to become of them.
type outcome struct {
	mu       sync.Mutex
	untried  []target // no time left
	unsent   []target // no turn under the quota
	unopened []target // gone, but fresh: perhaps not open yet
	failed   []target // throttled or unavailable
	late     []target // ran into the time limit of a post
	gone     []target // to be pruned
}

// add notes targets on one of the outcome's lists.
func (o *outcome) add(list *[]target, targets ...target) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*list = append(*list, targets...)
}

// take empties one of the outcome's lists if it has at least so many targets.
func (o *outcome) take(list *[]target, atLeast int) []target {
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
	if errors.Is(t.err, ports.ErrThrottled) {
		p.tally.throttled.Add(1)
	}
	switch {
	case errors.Is(t.err, context.DeadlineExceeded):
		p.outcome.add(&p.outcome.late, t)
	case !errors.Is(t.err, ports.ErrGone):
		p.outcome.add(&p.outcome.failed, t)
	case t.connection.Fresh(time.Now(), p.options.FreshFor):
		p.outcome.add(&p.outcome.unopened, t)
	default:
		p.outcome.add(&p.outcome.gone, t)
	}
}

// handOn makes jobs of those who are still owed something, of each list of the
// outcome that has at least so many.
func (p *pass) handOn(atLeast int) {
	var jobs []leftover
	for rest, audience := range p.owed(p.outcome.take(&p.outcome.untried, atLeast)) {
		jobs = append(jobs, rest.carriedOn(audience))
	}
	for rest, audience := range p.owed(p.outcome.take(&p.outcome.unsent, atLeast)) {
		jobs = append(jobs, rest.later(audience, p.options.requeueDelay(1)))
	}
	unopened := p.outcome.take(&p.outcome.unopened, atLeast)
	p.tally.unopened += len(unopened)
	for rest, audience := range p.owed(unopened) {
		later := rest.later(audience, p.options.unopenedDelay(audience.Only))
		later.unopened = true
		jobs = append(jobs, later)
	}
	failed := slices.Concat(p.outcome.take(&p.outcome.failed, atLeast), p.outcome.take(&p.outcome.late, atLeast))
	p.tally.failed += len(failed)
	if len(failed) > 0 {
		why := reason(failed)
		p.tally.reason = cmp.Or(p.tally.reason, why)
		for rest, audience := range p.owed(failed) {
			jobs = append(jobs, rest.failed(audience, why))
		}
	}
	p.leaveOver(jobs...)
}

// reason picks the error to give for all the targets: one that says more than
// that a client or a quota was slow, if there is any.
func reason(failed []target) error {
	for _, t := range failed {
		if telltale(t.err) {
			return t.err
		}
	}
	return failed[0].err
}

// telltale reports whether an error says more than that a client or a quota was
// slow: somebody may have to do something.
func telltale(err error) bool {
	return err != nil && !errors.Is(err, ports.ErrThrottled) && !errors.Is(err, context.DeadlineExceeded)
}
