package fanout

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"serverless-websocket/domain"
)

// rule says how a job is requeued. Its queue follows from the job, see leave: a
// retry goes to the queue of retries, other jobs to that of parts, and a job that
// has a reason and no attempts left becomes a dead letter.
type rule struct {
	delay   func(Options, domain.Job) time.Duration // on the queue; nil is none
	attempt bool                                    // counts as an attempt
	gone    bool                                    // the targets are gone for the delay longer
}

// rules has those for the results that are requeued. Targets that are unavailable
// or timed out have failed and have a reason. Those that the gateway does not know
// never end as a dead letter: their jobs end when they are pruned.
var rules = map[result]rule{
	untried:     {},
	rateLimited: {delay: func(o Options, _ domain.Job) time.Duration { return o.requeueDelay(1) }},
	notYetOpen:  {delay: func(o Options, job domain.Job) time.Duration { return o.openingDelay(job.Only) }, attempt: true, gone: true},
	unconfirmed: {delay: func(o Options, _ domain.Job) time.Duration { return o.ConfirmGoneAfter }, attempt: true, gone: true},
	unavailable: {delay: func(o Options, job domain.Job) time.Duration { return o.requeueDelay(job.Attempt) }, attempt: true},
}

// scope is the part of a batch's connections that is left.
type scope struct {
	only []domain.Target
	span domain.Span
}

// requeued returns the job for that part of the batch, by the rule for the result.
// The reason is why it failed; nil if it did not.
func (o Options) requeued(b batch, rest scope, came result, reason error) leftover {
	how, job := rules[came], b.Job
	job.Only, job.Span, job.Reason = rest.only, rest.span, ""
	if how.attempt {
		job.Attempt++
	}
	l := leftover{job: job, reason: reason}
	if how.delay != nil {
		l.delay = how.delay(o, job)
	}
	if how.gone {
		for i := range job.Only {
			job.Only[i].GoneFor += l.delay
		}
	}
	return l
}

// requeue makes jobs of what targets still have to get, of those with each result
// that at least so many have.
func (p *pass) requeue(atLeast int) {
	take := func(which result) []target { return p.results.take(which, atLeast) }
	fresh, failed := take(untried), slices.Concat(take(unavailable), take(timedOut))
	if p.permission.denied.Load() {
		fresh, failed = nil, append(failed, fresh...)
	}
	opening, doubtful := take(notYetOpen), take(unconfirmed)
	p.tally.notYetOpen += len(opening)
	p.tally.unconfirmed += len(doubtful)
	p.leaveOver(slices.Concat(
		p.jobs(fresh, untried, nil),
		p.jobs(take(rateLimited), rateLimited, nil),
		p.jobs(opening, notYetOpen, nil),
		p.jobs(doubtful, unconfirmed, nil),
		p.failures(failed),
	)...)
}

// failures makes jobs of what targets still have to get that have failed.
func (p *pass) failures(failed []target) []leftover {
	if len(failed) == 0 {
		return nil
	}
	why := cmp.Or(p.permission.why(), reason(failed))
	p.tally.failed += len(failed)
	p.tally.reason = cmp.Or(p.tally.reason, why)
	return p.jobs(failed, unavailable, why)
}

// jobs makes a job of each part of what the targets still have to get.
func (p *pass) jobs(targets []target, came result, reason error) (all []leftover) {
	for part, rest := range p.remainders(targets) {
		all = append(all, p.worker.options.requeued(part, rest, came, reason))
	}
	return all
}

// remainders cuts what the targets still have to get into parts that leave no message
// out and repeat none: each part has the messages of the envelopes from where some
// of the targets stopped to where the next ones did, and the targets that had
// stopped by then. Were each group to get its own copy of all that follows, the
// copies of a large batch could outgrow the queue.
func (p *pass) remainders(targets []target) iter.Seq2[batch, scope] {
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.envelope, b.envelope) })
	return func(yield func(batch, scope) bool) {
		connections := make([]domain.Target, 0, len(targets))
		for i, t := range targets {
			connections = append(connections, t.Target)
			end := len(p.batch.Messages)
			if i+1 < len(targets) {
				end = p.from[targets[i+1].envelope]
			}
			part := p.batch
			part.Messages = part.Messages[p.from[t.envelope]:end]
			if t.envelope > 0 || !p.batch.byName() {
				part.Attempt = 0 // of these messages to these targets
			}
			if len(part.Messages) > 0 && !yield(part, scope{only: slices.Clone(connections)}) {
				return
			}
		}
	}
}
