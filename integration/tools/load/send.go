package main

import (
	"context"
	"sync"
	"time"
)

// send runs the phases of the scenario and waits for outstanding replies and deliveries,
// after Ctrl-C as well.
func (r *loadRun) send(ctx context.Context) {
	stopCuts := r.cutClients()
	next := r.settings.chosen.plan(r.settings)
	var last *verdict
	for s, ok := next(nil); ok && ctx.Err() == nil; s, ok = next(last) {
		before := r.tally.SendCounts()
		r.tally.BeginStep()
		r.runPhase(ctx, s)
		if s.bound == 0 {
			continue
		}
		if r.settle(ctx, s.bound); ctx.Err() == nil {
			last = r.judge(s, before.Accepted)
			r.verdicts = append(r.verdicts, *last)
		}
	}
	stopCuts()
	r.interrupted = ctx.Err() != nil
	r.activity.Store("draining")
	r.hurry()
	r.settle(context.WithoutCancel(ctx), r.settings.drain)
	if r.settings.chosen.follow { // no later broadcast shows that the last ones are missing
		r.behind = r.resumeOnceMore()
		r.settle(context.WithoutCancel(ctx), r.settings.drain)
	}
}

// runPhase makes the senders send a phase. A stuck sender is given up once the drain
// timeout has passed since the end of the schedule, or since the last reply.
func (r *loadRun) runPhase(ctx context.Context, s phase) {
	r.activity.Store("sending")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.window > 0 {
		go r.watch(ctx, cancel)
	} else {
		defer time.AfterFunc(s.length()+max(r.settings.drain, time.Second), cancel).Stop()
	}
	j := job{phase: s, first: r.tally.Schedule(s.count), start: r.clock.Now()}
	var sending sync.WaitGroup
	for _, one := range r.senders {
		sending.Go(func() { one.work(ctx, j) })
	}
	sending.Wait()
	sleep(ctx, r.clock.Until(j.start+s.least.Microseconds()))
}

// watch gives up when no reply has arrived within the drain timeout.
func (r *loadRun) watch(ctx context.Context, giveUp func()) {
	ticker := time.NewTicker(max(r.settings.drain, pollEvery))
	defer ticker.Stop()
	for replies := -1; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		counts := r.tally.SendCounts()
		now := counts.Accepted + counts.RejectedInAll()
		if now == replies {
			giveUp()
			return
		}
		replies = now
	}
}

// settle waits until nothing is missing, but no longer than the limit, or until ctx ends.
func (r *loadRun) settle(ctx context.Context, limit time.Duration) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	end := time.Now().Add(limit)
	var settled time.Time
	for now := time.Now(); now.Before(end); now = time.Now() {
		switch {
		case !r.settled():
			settled = time.Time{}
		case settled.IsZero():
			settled = now
		case now.Sub(settled) >= settledFor:
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// settled reports whether all broadcasts are answered and all deliveries made.
func (r *loadRun) settled() bool {
	return r.tally.SendCounts().Unanswered() == 0 && r.tally.Missing() == 0
}

// judge returns the verdict on a phase. What is still missing has exceeded the bound.
func (r *loadRun) judge(s phase, acceptedBefore int) *verdict {
	p99, ok := r.tally.StepQuantile(99, r.tally.Missing())
	accepted := r.tally.SendCounts().Accepted - acceptedBefore
	return &verdict{phase: s, p99: p99, beyond: !ok, took: accepted*100 >= s.count*99}
}
