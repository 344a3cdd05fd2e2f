package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain/broadcast"
)

// eventSource hands what is on the job queue to fan-out workers, as Lambda's
// does: in batches, several at once, and what is not reported as failed is
// deleted.
type eventSource struct {
	*world
	free    chan *broadcast.FanOut // workers without an invocation
	running sync.WaitGroup
	number  int // of invocations

	mu     sync.Mutex
	atOnce int
	peak   int           // the most that atOnce was
	busy   time.Duration // of all invocations together
}

func newEventSource(w *world) *eventSource {
	s := &eventSource{world: w, free: make(chan *broadcast.FanOut, w.plan.workers)}
	for range w.plan.workers {
		s.free <- w.newWorker()
	}
	return s
}

// run hands batches out until the context ends, and waits for the last ones.
func (s *eventSource) run(ctx context.Context) {
	defer s.running.Wait()
	for s.wait(ctx) {
		time.Sleep(s.plan.window)
		worker := <-s.free
		batch := s.queue.receive(s.plan.batch)
		if len(batch) == 0 {
			s.free <- worker
			continue
		}
		s.number++
		number := s.number
		s.running.Go(func() { s.free <- s.invoke(worker, number, batch) })
	}
}

// wait waits for a visible message.
func (s *eventSource) wait(ctx context.Context) bool {
	for {
		var timer <-chan time.Time
		if due, ok := s.queue.due(); ok && due <= 0 {
			return true
		} else if ok {
			timer = time.After(due)
		}
		select {
		case <-ctx.Done():
			return false
		case <-timer:
		case <-s.queue.changed:
		}
	}
}

// invoke runs the function and returns the worker for the next invocation: a new
// one when this one crashed or ran out of time.
func (s *eventSource) invoke(worker *broadcast.FanOut, number int, batch []*entry) *broadcast.FanOut {
	run, ctx := newCaller(fmt.Sprint("invocation ", number), s.plan.timeout)
	defer run.cancel()
	defer time.AfterFunc(s.plan.timeout-1, func() {
		run.kill()
		if s.plan.kind != anything {
			s.broken("invocation %d ran out of time", number)
		}
	}).Stop()
	defer s.endEarly(run).Stop()
	s.event("invocation", number, len(batch))
	s.count(1, 0)
	defer func(started time.Time) { s.count(-1, time.Since(started)) }(time.Now())
	failed := worker.Handle(ctx, deliveries(batch))
	if run.wasKilled() {
		s.event("crashed", number)
		return s.newWorker()
	}
	s.finish(run, batch, failed)
	return worker
}

// count notes that an invocation began or, after the time it took, ended.
func (s *eventSource) count(change int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atOnce += change
	s.peak = max(s.peak, s.atOnce)
	s.busy += took
}

// endEarly has some invocations crash, and ends the context of others, which can
// still say what failed.
func (s *eventSource) endEarly(run *caller) *time.Timer {
	d, h := s.seed.of("end early", run.name), s.hazards()
	end := func() {}
	switch {
	case d.happens("crashes", h.crashes):
		end = run.kill
	case d.happens("stops", h.stops):
		end = run.cancel
	}
	return time.AfterFunc(d.between("after", 0, 2*time.Second), end)
}

func deliveries(batch []*entry) []broadcast.Delivery {
	var all []broadcast.Delivery
	for _, e := range batch {
		all = append(all, broadcast.Delivery{ID: e.id, Body: e.body})
	}
	return all
}

// finish deletes what did not fail.
func (s *eventSource) finish(run *caller, batch []*entry, failed []string) {
	s.event("end of", run.name, len(failed))
	if ids := run.unpruned(); len(ids) > 0 {
		s.broken("%s did not prune %v, which answered Gone", run.name, ids)
	}
	again := make(map[string]bool)
	for _, id := range failed {
		again[id] = true
	}
	for _, e := range batch {
		if !again[e.id] {
			s.queue.remove(e)
		}
	}
}
