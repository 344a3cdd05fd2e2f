package fanout

import (
	"cmp"
	"slices"
	"time"

	"serverless-websocket/domain"
)

// requeuedJob is a job to put on a queue.
type requeuedJob struct {
	domain.Job
	delay    time.Duration
	err      error // why it failed; nil if it did not
	hopeless bool  // no further attempt can change that
}

// rule says how the targets with a result are requeued. The queue follows from the job,
// see Worker.requeue: retries go to their own, other jobs to the parts queue, and a failed
// job without attempts left to the dead-letter queue.
type rule struct {
	delay    func(Options, domain.Job) time.Duration // on the queue; nil is none
	attempt  bool                                    // counts as an attempt
	gone     bool                                    // the delay adds to Target.GoneFor
	hopeless bool                                    // no further attempt can help
}

// rules has one for each result that is requeued. Only targets that are unavailable or
// for which a payload is too large have failed. A target that the gateway does not know
// never ends on the dead-letter queue: its jobs end when its row is pruned.
var rules = map[result]rule{
	untried: {},
	rateLimited: {
		delay: func(o Options, _ domain.Job) time.Duration { return o.requeueDelay(1) },
	},
	notYetOpen: {
		delay:   func(o Options, job domain.Job) time.Duration { return o.openingDelay(job.Only) },
		attempt: true, gone: true,
	},
	unconfirmed: {
		delay:   func(o Options, _ domain.Job) time.Duration { return o.ConfirmGoneAfter },
		attempt: true, gone: true,
	},
	unavailable: {
		delay:   func(o Options, job domain.Job) time.Duration { return o.requeueDelay(job.Attempt) },
		attempt: true,
	},
	tooLarge: {attempt: true, hopeless: true},
}

// scope is the part of a batch's connections that a requeued job is for.
type scope struct {
	only []domain.Target
	span domain.Span
}

// requeued returns the job for that part of the batch, by the rule for the result.
// The error is why it failed; nil if it did not.
func (o Options) requeued(b batch, rest scope, which result, err error) requeuedJob {
	rule, job := rules[which], b.Job
	job.Only, job.Span, job.Reason = rest.only, rest.span, ""
	if rule.attempt {
		job.Attempt++
	}
	r := requeuedJob{Job: job, err: err, hopeless: rule.hopeless}
	if rule.delay != nil {
		r.delay = rule.delay(o, job)
	}
	if rule.gone {
		for i := range job.Only {
			job.Only[i].GoneFor += r.delay
		}
	}
	return r
}

// requeue requeues the targets of each result that has at least n of them.
func (p *pass) requeue(n int) {
	take := func(which result) []target { return p.results.take(which, n) }
	fresh, failed := take(untried), slices.Concat(take(unavailable), take(timedOut))
	if p.permission.denied.Load() {
		fresh, failed = nil, append(failed, fresh...)
	}
	opening, unproven := take(notYetOpen), take(unconfirmed)
	p.tally.notYetOpen += len(opening)
	p.tally.unconfirmed += len(unproven)
	p.requeueJobs(slices.Concat(
		p.remainders(fresh, untried, nil),
		p.remainders(take(rateLimited), rateLimited, nil),
		p.remainders(opening, notYetOpen, nil),
		p.remainders(unproven, unconfirmed, nil),
		p.remainders(failed, unavailable, p.count(failed)),
		p.tooLarge(take(tooLarge)),
	)...)
}

// count counts targets that failed, and returns why; nil without any.
func (p *pass) count(failed []target) error {
	if len(failed) == 0 {
		return nil
	}
	for _, t := range failed {
		if !t.short {
			p.tally.failed++
		}
	}
	err := cmp.Or(p.permission.why(), reason(failed))
	p.tally.err = cmp.Or(p.tally.err, err)
	return err
}

func (p *pass) requeueJobs(jobs ...requeuedJob) {
	for _, job := range jobs {
		p.tally.requeued += len(job.Only)
	}
	if err := p.worker.requeue(p.budget.ctx, jobs...); err != nil {
		p.lost = err
	}
}
