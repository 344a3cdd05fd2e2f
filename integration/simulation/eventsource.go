package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain/fanout"
)

// eventSource hands messages of a queue to fan-out workers, like Lambda's: in batches,
// several at once, and messages not reported as failed are deleted.
type eventSource struct {
	*world
	queue   *queue
	intake  intake
	free    chan *fanout.Worker // workers without an invocation
	running sync.WaitGroup
	number  int // of invocations
}

// intake is how an event source receives from its queue.
type intake struct {
	workers int // at once
	batch   int
	window  time.Duration // for which a batch gathers
}

func newEventSource(w *world, q *queue, in intake) *eventSource {
	return &eventSource{world: w, queue: q, intake: in, free: make(chan *fanout.Worker, in.workers)}
}

// run hands batches out until the context ends, and waits for the last ones.
func (s *eventSource) run(ctx context.Context) {
	for range s.intake.workers {
		s.free <- s.newWorker()
	}
	defer s.running.Wait()
	for s.wait(ctx) {
		time.Sleep(s.intake.window)
		worker := <-s.free
		batch := s.queue.receive(s.intake.batch)
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

// invoke runs the function and returns the worker for the next invocation: a new one if
// this one crashed or ran out of time.
func (s *eventSource) invoke(worker *fanout.Worker, number int, batch []*entry) *fanout.Worker {
	run, ctx := newCaller(fmt.Sprint(s.queue.name, " invocation ", number), s.plan.timeout)
	defer run.cancel()
	run.clock = s.clock(run.name)
	defer time.AfterFunc(s.plan.timeout-1, func() {
		run.kill()
		if s.plan.kind != anything {
			s.broken("%s ran out of time", run.name)
		}
	}).Stop()
	defer s.endEarly(run).Stop()
	s.event("invocation", run.name, len(batch))
	defer s.usage.begin()()
	failed := worker.Handle(ctx, deliveries(batch, run.clock))
	if run.wasKilled() {
		s.event("crashed", run.name)
		return s.newWorker()
	}
	s.finish(run, batch, failed)
	return worker
}

// endEarly makes some invocations crash, and ends the context of others, which can still
// report failures.
func (s *eventSource) endEarly(run *caller) *time.Timer {
	d, h := s.seed.of("end early", run.name), s.hazards()
	end := func() {}
	switch {
	case d.happens("crashes", h.crashes):
		end = func() { s.fault("crash"); run.kill() }
	case d.happens("stops", h.stops):
		end = func() { s.fault("invocation cut off"); run.cancel() }
	}
	return time.AfterFunc(d.between("after", 0, 2*time.Second), end)
}

// deliveries returns the batch as seen by a function whose clock is ahead.
func deliveries(batch []*entry, ahead time.Duration) []fanout.Delivery {
	var all []fanout.Delivery
	for _, e := range batch {
		all = append(all, fanout.Delivery{ID: e.id, Body: shifted(e.body, -ahead)})
	}
	return all
}

// finish deletes messages that did not fail.
func (s *eventSource) finish(run *caller, batch []*entry, failed []string) {
	s.event("end of", run.name, len(failed))
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
