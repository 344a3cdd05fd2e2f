package memqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Limits of a batch; those of Lambda.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const (
	DefaultBatchSize = 10_000
	// MaxBatchBytes bounds the bodies of one batch.
	MaxBatchBytes = 6 << 20
)

// Handler handles one batch, as a Lambda function with the response type
// ReportBatchItemFailures does.
type Handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// EventSource hands what gathers on a queue to a handler, in batches, by the
// rules of Lambda's event source for SQS. Queue and Handler are required.
type EventSource struct {
	Queue   *Queue
	Handler Handler
	// BatchSize is the most messages of one batch; default 10,000. A batch is
	// what has gathered: there is no waiting for more.
	BatchSize int
	// Concurrency is how many batches are handled at a time; default 1, which
	// keeps them in order.
	Concurrency int
	// Timeout is the deadline of one invocation; default half of the queue's
	// visibility timeout, which it must stay below.
	Timeout time.Duration
	// RetryAfter is when a message that failed becomes visible again, from the
	// end of the invocation. Default, and Lambda's rule: when its visibility
	// timeout ends.
	RetryAfter time.Duration
	// Log gets the invocations that failed as a whole; default slog.Default().
	Log *slog.Logger
}

// Run hands out batches until ctx ends, finishes those under way, whose context
// does not end with ctx, and returns nil. It returns an error at once when a
// required field is missing or Timeout is not below the visibility timeout.
func (s *EventSource) Run(ctx context.Context) error {
	source, err := s.withDefaults()
	if err != nil {
		return err
	}
	var workers sync.WaitGroup
	for range source.Concurrency {
		workers.Go(func() { source.work(ctx) })
	}
	workers.Wait()
	return nil
}

func (s EventSource) withDefaults() (*EventSource, error) {
	if s.Queue == nil || s.Handler == nil {
		return nil, errors.New("event source without queue or handler")
	}
	visibility := s.Queue.cfg.Visibility
	if s.BatchSize <= 0 {
		s.BatchSize = DefaultBatchSize
	}
	if s.Concurrency <= 0 {
		s.Concurrency = 1
	}
	if s.Timeout <= 0 {
		s.Timeout = visibility / 2
	}
	if s.Timeout >= visibility {
		return nil, fmt.Errorf("timeout of %v is not below the visibility timeout of %v", s.Timeout, visibility)
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	return &s, nil
}

func (s *EventSource) work(ctx context.Context) {
	for {
		batch, err := s.Queue.receive(ctx, s.BatchSize, MaxBatchBytes)
		if err != nil {
			return
		}
		s.handle(context.WithoutCancel(ctx), batch)
	}
}

// handle invokes the handler and deletes what it did not fail.
func (s *EventSource) handle(ctx context.Context, batch []Message) {
	response, err := s.invoke(ctx, batch)
	var done, failed []string
	if err == nil {
		done, failed, err = split(batch, response)
	}
	if err != nil {
		s.Log.Error("batch failed", "messages", len(batch), "error", err)
		failed = receipts(batch)
	}
	s.Queue.Delete(done...)
	if s.RetryAfter > 0 {
		s.Queue.ChangeVisibility(s.RetryAfter, failed...)
	}
}

// invoke calls the handler with its deadline and turns a panic into an error.
func (s *EventSource) invoke(ctx context.Context, batch []Message) (response events.SQSEventResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.Handler(ctx, event(batch))
}
