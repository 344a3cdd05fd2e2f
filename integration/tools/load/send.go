package main

import (
	"context"
	"sync"
	"time"
)

// send goes through the stretches of the scenario, and waits for what they have
// under way, after Ctrl-C as well.
func (t *trial) send(ctx context.Context) {
	next := t.settings.chosen.plan(t.settings)
	var last *verdict
	for s, ok := next(nil); ok && ctx.Err() == nil; s, ok = next(last) {
		before := t.tally.SendCounts()
		t.tally.BeginStep()
		t.run(ctx, s)
		if s.bound == 0 {
			continue
		}
		if t.settle(ctx, s.bound); ctx.Err() == nil {
			last = t.judge(s, before.Accepted)
			t.verdicts = append(t.verdicts, *last)
		}
	}
	t.interrupted = ctx.Err() != nil
	t.phase.Store("draining")
	t.hurry()
	t.settle(context.WithoutCancel(ctx), t.settings.drain)
}

// run has the senders send what the stretch asks for. When a sender is stuck, it
// is given up for so long after the schedule as the drain takes, or when no reply
// has come for that long.
func (t *trial) run(ctx context.Context, s stretch) {
	t.phase.Store("sending")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.window > 0 {
		go t.watch(ctx, cancel)
	} else {
		defer time.AfterFunc(s.length()+max(t.settings.drain, time.Second), cancel).Stop()
	}
	j := job{stretch: s, first: t.tally.Schedule(s.count), start: t.clock.Now()}
	var sending sync.WaitGroup
	for _, one := range t.senders {
		sending.Go(func() { one.work(ctx, j) })
	}
	sending.Wait()
	sleep(ctx, t.clock.Until(j.start+s.least.Microseconds()))
}

// watch gives up when no reply has come for as long as the drain may take.
func (t *trial) watch(ctx context.Context, giveUp func()) {
	ticker := time.NewTicker(max(t.settings.drain, pollEvery))
	defer ticker.Stop()
	for replies := -1; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		counts := t.tally.SendCounts()
		now := counts.Accepted + counts.RejectedInAll()
		if now == replies {
			giveUp()
			return
		}
		replies = now
	}
}

// settle waits until nothing is missing any more, but no longer than the limit,
// or until ctx ends.
func (t *trial) settle(ctx context.Context, limit time.Duration) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	end := time.Now().Add(limit)
	var settled time.Time
	for now := time.Now(); now.Before(end); now = time.Now() {
		switch {
		case !t.settled():
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
func (t *trial) settled() bool {
	return t.tally.SendCounts().Unanswered() == 0 && t.tally.Missing() == 0
}

// judge tells how a stretch went. What is missing now did not come within its
// bound.
func (t *trial) judge(s stretch, acceptedBefore int) *verdict {
	p99, ok := t.tally.StepQuantile(99, t.tally.Missing())
	accepted := t.tally.SendCounts().Accepted - acceptedBefore
	return &verdict{stretch: s, p99: p99, beyond: !ok, took: accepted*100 >= s.count*99}
}
