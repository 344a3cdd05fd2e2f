package fanout_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// recorder is an observer that keeps what it hears.
type recorder struct {
	mu      sync.Mutex
	splits  []int
	reports []fanout.Report
	dead    []domain.Job
	repeats [][2]domain.MessageID
}

func (r *recorder) Split(_ context.Context, _ []domain.Message, segments int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.splits = append(r.splits, segments)
}

func (r *recorder) Passed(_ context.Context, report fanout.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, report)
}

func (r *recorder) Repeated(_ context.Context, repeat, first domain.MessageID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repeats = append(r.repeats, [2]domain.MessageID{repeat, first})
}

func (r *recorder) DeadLettered(_ context.Context, job domain.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = append(r.dead, job)
}

// observed gives the world a worker that a recorder listens to.
func (w *world) observed(options fanout.Options) *recorder {
	heard := new(recorder)
	outside := fanout.Ports{
		Connections: w.faultyStore, Subscriptions: w.subscribers, Poster: w.poster, Parts: w.queue, Retries: w.queue, DeadLetters: w.dead,
		Observer: heard,
	}
	if w.history != nil {
		outside.Log = w.history
	}
	w.worker = fanout.New(outside, slog.New(slog.DiscardHandler), options)
	return heard
}

func TestAnObserverHearsWhatAPassDid(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		heard := w.observed(fanout.Options{ConfirmGoneAfter: fanout.PruneAtOnce})
		w.connect(5)
		broken := errors.New("connection reset")
		w.poster.answer["c-1"] = always(ports.ErrGone)
		w.poster.answer["c-2"] = until(2, ports.ErrThrottled)
		w.poster.answer["c-3"] = until(3, broken)
		id := w.send(`1`)
		w.handle(context.Background(), w.receive())
		if len(heard.reports) != 1 {
			t.Fatalf("%d reports", len(heard.reports))
		}
		r := heard.reports[0]
		if r.Job.Messages[0].ID != id || r.Job.To != domain.ToEveryone() || r.Audience() != "everyone" || r.Took <= 0 || r.Age < r.Took {
			t.Errorf("report %+v", r)
		}
		got := []int{r.Delivered, r.Gone, r.Failed, r.Requeued, r.Posts, r.Throttled, r.Pages}
		if want := []int{3, 1, 1, 1, 9, 2, 2}; !slices.Equal(got, want) {
			t.Errorf("delivered, gone, failed, requeued, posts, throttled, pages: %v, want %v", got, want)
		}
		if !errors.Is(r.Err, broken) {
			t.Errorf("reason %v", r.Err)
		}
		w.work()
		if last := heard.reports[len(heard.reports)-1]; !last.Job.Retry() || last.Audience() != "1 connections" || last.Delivered != 1 {
			t.Errorf("the retry: %+v", last)
		}
	})(t)
}

func TestAnObserverHearsOfSplitsAndDeadLetters(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		heard := w.observed(fanout.Options{Parts: 4, MaxAttempts: 2})
		w.connect(10)
		w.poster.answer["c-2"] = always(ports.ErrThrottled)
		w.send(`1`)
		w.work()
		if !slices.Equal(heard.splits, []int{4}) {
			t.Errorf("splits %v", heard.splits)
		}
		if len(heard.dead) != 1 || heard.dead[0].Reason == "" || heard.dead[0].Attempt != 2 || heard.dead[0].Only[0].ID != "c-2" {
			t.Errorf("dead letters %+v", heard.dead)
		}
	})(t)
}
