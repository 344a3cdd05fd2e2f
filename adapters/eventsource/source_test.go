package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/memqueue"
)

const visibility = 10 * time.Second

// source is an event source whose handler answers as the test says and records its input.
type source struct {
	*Source
	queue   *memqueue.Queue
	batches [][]string
	answer  func(turn int, event events.SQSEvent) (events.SQSEventResponse, error)
}

func newSource(answer func(int, events.SQSEvent) (events.SQSEventResponse, error)) *source {
	s := &source{answer: answer, queue: memqueue.New(memqueue.Config{Visibility: visibility})}
	s.Source = &Source{Queue: s.queue, Handler: s.handler, Log: quietLog()}
	return s
}

func (s *source) handler(_ context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	var batch []string
	for _, record := range event.Records {
		batch = append(batch, record.Body+"#"+record.Attributes["ApproximateReceiveCount"])
	}
	s.batches = append(s.batches, batch)
	return s.answer(len(s.batches), event)
}

// runUntilIdle runs the source until the queue is empty and returns the time that took.
func (s *source) runUntilIdle(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.queue.WaitIdle(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	return time.Since(start)
}

func failures(ids ...string) (response events.SQSEventResponse) {
	for _, id := range ids {
		response.BatchItemFailures = append(response.BatchItemFailures,
			events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response
}

// TestResponses: which of a batch of three messages are redelivered after each response.
func TestResponses(t *testing.T) {
	all := []string{"a#2", "b#2", "c#2"}
	for name, test := range map[string]struct {
		answer func(events.SQSEvent) (events.SQSEventResponse, error)
		again  []string
	}{
		"no failure": {func(events.SQSEvent) (events.SQSEventResponse, error) {
			return events.SQSEventResponse{}, nil
		}, nil},
		"one failure": {func(e events.SQSEvent) (events.SQSEventResponse, error) {
			return failures(e.Records[1].MessageId), nil
		}, []string{"b#2"}},
		"one failure, twice": {func(e events.SQSEvent) (events.SQSEventResponse, error) {
			return failures(e.Records[2].MessageId, e.Records[2].MessageId), nil
		}, []string{"c#2"}},
		"unknown id": {func(e events.SQSEvent) (events.SQSEventResponse, error) {
			return failures(e.Records[1].MessageId, "unknown"), nil
		}, all},
		"empty id": {func(events.SQSEvent) (events.SQSEventResponse, error) {
			return failures(""), nil
		}, all},
		"error": {func(events.SQSEvent) (events.SQSEventResponse, error) {
			return events.SQSEventResponse{}, errors.New("no")
		}, all},
		"panic": {func(events.SQSEvent) (events.SQSEventResponse, error) { panic("no") }, all},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(func(turn int, e events.SQSEvent) (events.SQSEventResponse, error) {
					if turn == 1 {
						return test.answer(e)
					}
					return events.SQSEventResponse{}, nil
				})
				send(t, s.queue, "a", "b", "c")
				took := s.runUntilIdle(t)
				want := [][]string{{"a#1", "b#1", "c#1"}}
				if test.again != nil {
					want = append(want, test.again)
				}
				if got := fmt.Sprint(s.batches); got != fmt.Sprint(want) {
					t.Errorf("the batches were %v, want %v", got, want)
				}
				if test.again != nil && took != visibility {
					t.Errorf("the failed messages were redelivered after %v, want %v", took, visibility)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(func(turn int, _ events.SQSEvent) (events.SQSEventResponse, error) {
			time.Sleep(time.Second)
			if turn == 1 {
				return events.SQSEventResponse{}, errors.New("not yet")
			}
			return events.SQSEventResponse{}, nil
		})
		s.RetryAfter = 100 * time.Millisecond
		send(t, s.queue, "a")
		if took := s.runUntilIdle(t); took != 2100*time.Millisecond {
			t.Errorf("took %v, want two turns of 1s and 100ms between them", took)
		}
	})
}

// TestOrderedBatches: with a concurrency of one, everything arrives once and in order,
// whatever the batches.
func TestOrderedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(func(int, events.SQSEvent) (events.SQSEventResponse, error) {
			time.Sleep(time.Second)
			return events.SQSEventResponse{}, nil
		})
		s.BatchSize = 7
		var want []string
		for i := range 40 {
			want = append(want, fmt.Sprint(i, "#1"))
			send(t, s.queue, fmt.Sprint(i))
		}
		s.runUntilIdle(t)
		if got := slices.Concat(s.batches...); !slices.Equal(got, want) {
			t.Errorf("came as %q", s.batches)
		}
		if len(s.batches) != 6 {
			t.Errorf("40 messages in batches of 7 came in %d batches", len(s.batches))
		}
	})
}

func TestBatchBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(func(int, events.SQSEvent) (events.SQSEventResponse, error) {
			return events.SQSEventResponse{}, nil
		})
		for range 14 {
			send(t, s.queue, strings.Repeat("x", 1<<20))
		}
		s.runUntilIdle(t)
		var sizes []int
		for _, batch := range s.batches {
			sizes = append(sizes, len(batch))
		}
		if !slices.Equal(sizes, []int{6, 6, 2}) {
			t.Errorf("14 messages of 1 MiB came in batches of %v, want 6, 6 and 2", sizes)
		}
	})
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := make(chan struct{}, 10)
		queue := memqueue.New(memqueue.Config{})
		s := &Source{Queue: queue, BatchSize: 1, Concurrency: 3}
		s.Handler = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			busy <- struct{}{}
			time.Sleep(time.Second)
			return events.SQSEventResponse{}, nil
		}
		send(t, queue, "a", "b", "c", "d", "e")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if len(busy) != 3 {
			t.Errorf("%d invocations at a time, want 3", len(busy))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		wantDepth(t, queue, memqueue.Depth{Ready: 2}) // work under way is finished
	})
}

// TestTimeout: an invocation has a deadline that does not end Run.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		queue := memqueue.New(memqueue.Config{Visibility: visibility})
		s := &Source{Queue: queue, Log: quietLog()}
		s.Handler = func(invocation context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			cancel()
			start := time.Now()
			<-invocation.Done()
			if after := time.Since(start); after != visibility/2 {
				t.Errorf("the invocation's context ended after %v, want %v", after, visibility/2)
			}
			return events.SQSEventResponse{}, invocation.Err()
		}
		send(t, queue, "a")
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
		wantDepth(t, queue, memqueue.Depth{InFlight: 1})
	})
}

func TestImpossibleSource(t *testing.T) {
	handler := func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		return events.SQSEventResponse{}, nil
	}
	for name, s := range map[string]Source{
		"no queue":   {Handler: handler},
		"no handler": {Queue: memqueue.New(memqueue.Config{})},
		"timeout":    {Queue: memqueue.New(memqueue.Config{Visibility: time.Second}), Handler: handler, Timeout: time.Second},
	} {
		if err := s.Run(t.Context()); err == nil {
			t.Errorf("%s: Run returned no error", name)
		}
	}
}
