package fanout

import (
	"cmp"
	"slices"

	"serverless-websocket/domain"
)

// remainders returns the jobs for the messages that the targets still have to get. Each
// has the messages between two stopping points, for all targets that had stopped by then.
// So no message is left out, and none is repeated.
//
// Say the envelopes are [m1 m2] [m3] [m4]. a stopped before the first, b and c before the
// third:
//
//	a    m1 m2 | m3 | m4
//	b          |    | m4
//	c          |    | m4
//
// Then the jobs are m1 m2 m3 for a, and m4 for a, b and c. A job for each stopping point
// with all messages from there on would copy m4; such copies of a large batch could
// outgrow the queue. The price is order: the second job can overtake the first.
//
// The targets of a later job, and those of a scan, have not failed at its messages before,
// so it counts attempts from zero.
func (p *pass) remainders(targets []target, which result, err error) (jobs []requeuedJob) {
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.envelope, b.envelope) })
	stopped := make([]domain.Target, 0, len(targets))
	for i, t := range targets {
		stopped = append(stopped, t.Target)
		end := len(p.batch.Messages)
		if i+1 < len(targets) {
			end = p.from[targets[i+1].envelope]
		}
		remainder := p.batch
		remainder.Messages = remainder.Messages[p.from[t.envelope]:end]
		if len(remainder.Messages) == 0 {
			continue // the next target stopped at the same envelope
		}
		if t.envelope > 0 || !p.batch.byName() {
			remainder.Attempt = 0
		}
		job := p.worker.options.requeued(remainder, scope{only: slices.Clone(stopped)}, which, err)
		if p.batch.Retry() {
			job.Attempt = max(1, job.Attempt) // still a retry
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// tooLarge returns the jobs for the envelopes that were too large, each for its targets.
func (p *pass) tooLarge(targets []target) (jobs []requeuedJob) {
	err := p.count(targets)
	only := make([][]domain.Target, len(p.posts))
	for _, t := range targets {
		only[t.envelope] = append(only[t.envelope], t.Target)
	}
	for i, some := range only {
		if len(some) == 0 {
			continue
		}
		envelope, end := p.batch, len(p.batch.Messages)
		if i+1 < len(p.from) {
			end = p.from[i+1]
		}
		envelope.Messages = envelope.Messages[p.from[i]:end]
		jobs = append(jobs, p.worker.options.requeued(envelope, scope{only: some}, tooLarge, err))
	}
	return jobs
}
