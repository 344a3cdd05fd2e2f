// Package eventsource drives handlers of SQS events from any queue, by the rules
// of Lambda's event source mapping with ReportBatchItemFailures.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package eventsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/ports"
)

// Limits of a batch; those of Lambda.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const (
	DefaultBatchSize  = 10_000
	DefaultBatchBytes = 6 << 20
)

// DefaultQueueARN names a queue that has no ARN.
const DefaultQueueARN = "arn:aws:sqs:local:000000000000:queue"

// pauseAfterError prevents a busy loop on a queue that fails immediately.
const pauseAfterError = 200 * time.Millisecond

// Handler handles one batch, as a Lambda function with the response type
// ReportBatchItemFailures does.
type Handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// Source hands the messages of a queue to a handler, in batches. Queue and Handler
// are required.
type Source struct {
	Queue   ports.Receiver
	Handler Handler
	// QueueARN is the source named in the events; default DefaultQueueARN.
	QueueARN string
	// BatchSize is the maximum number of messages in a batch; default 10,000. A batch is
	// what one Receive returns: the source does not wait for more.
	BatchSize int
	// BatchBytes bounds the bodies of a batch, unless it is a single message; default 6
	// MiB. Messages received beyond it form the next batch, under the same visibility
	// timeout, so a queue should not return more at once.
	BatchBytes int
	// Concurrency is the number of batches handled at a time; default 1, which keeps the
	// queue's order.
	Concurrency int
	// Timeout is the deadline of an invocation. It must be below the queue's visibility
	// timeout; default half of that.
	Timeout time.Duration
	// RetryAfter is how long after the invocation a failed message becomes visible again.
	// By default, as with Lambda, it does when its visibility timeout ends.
	RetryAfter time.Duration
	// Log receives batches that failed as a whole and errors of the queue; default
	// slog.Default().
	Log *slog.Logger
}

// Run hands out batches until ctx ends, finishes those already received, whose context
// does not end with ctx, and returns nil. It returns an error at once if a required field
// is missing or Timeout is not below the visibility timeout.
func (s *Source) Run(ctx context.Context) error {
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

func (s Source) withDefaults() (*Source, error) {
	if s.Queue == nil || s.Handler == nil {
		return nil, errors.New("the event source needs a queue and a handler")
	}
	visibility := s.Queue.VisibilityTimeout()
	s.QueueARN = cmp.Or(s.QueueARN, DefaultQueueARN)
	s.BatchSize = cmp.Or(max(s.BatchSize, 0), DefaultBatchSize)
	s.BatchBytes = cmp.Or(max(s.BatchBytes, 0), DefaultBatchBytes)
	s.Concurrency = max(s.Concurrency, 1)
	s.Timeout = cmp.Or(max(s.Timeout, 0), visibility/2)
	s.Log = cmp.Or(s.Log, slog.Default())
	if s.Timeout >= visibility {
		return nil, fmt.Errorf("timeout of %v is not below the visibility timeout of %v", s.Timeout, visibility)
	}
	return &s, nil
}

func (s *Source) work(ctx context.Context) {
	for ctx.Err() == nil {
		received, err := s.Queue.Receive(ctx, s.BatchSize)
		for _, batch := range cut(received, s.BatchBytes) {
			s.handle(context.WithoutCancel(ctx), batch)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("receive failed; trying again", "error", err)
			pause(ctx, pauseAfterError)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
