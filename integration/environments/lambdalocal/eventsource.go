package lambdalocal

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/eventsource"
	"serverless-websocket/adapters/sqsqueue"
)

// EventSource invokes a function with batches from a standard queue, like Lambda's event
// source mapping with ReportBatchItemFailures. Messages that are not deleted become
// visible again when the queue says so, and the queue moves them to its dead-letter
// queue. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
type EventSource struct {
	Client   *sqs.Client
	QueueURL string
	// Invoke is Function.Invoke.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// BatchSize is the maximum number of messages in a batch; default 10. A larger batch
	// needs a Window.
	BatchSize int
	// Window is how long a batch can be gathered; default 0, the messages of one request
	// to the queue.
	Window time.Duration
	// Concurrency is the number of concurrent invocations, maximumConcurrency on AWS;
	// default 2, the minimum there.
	Concurrency int
	// Log receives requests and batches that failed as a whole; by default nothing is
	// logged.
	Log *slog.Logger
}

// Start runs the event source until the test is over and waits for invocations in
// progress. Functions it invokes must have been created before it.
func (s *EventSource) Start(t testing.TB) {
	t.Helper()
	queue, err := sqsqueue.NewReceiver(t.Context(), s.Client, s.QueueURL, sqsqueue.ReceiverOptions{Window: s.Window})
	if err != nil {
		t.Fatalf("event source: %v", err)
	}
	source := &eventsource.Source{
		Queue:       queue,
		QueueARN:    queue.ARN(),
		Handler:     s.handle,
		BatchSize:   cmp.Or(s.BatchSize, 10),
		BatchBytes:  MaxPayload / 4, // bodies grow when they become JSON strings
		Concurrency: cmp.Or(s.Concurrency, 2),
		Log:         cmp.Or(s.Log, slog.New(slog.DiscardHandler)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("event source: %v", err)
		}
	})
}

// handle invokes the function. Only the function's timeout limits the invocation. An
// empty response, null, and one without a list fail no message.
func (s *EventSource) handle(ctx context.Context, event events.SQSEvent) (response events.SQSEventResponse, err error) {
	for i, record := range event.Records {
		digest := md5.Sum([]byte(record.Body))
		event.Records[i].Md5OfBody = hex.EncodeToString(digest[:])
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return response, err
	}
	out, err := s.Invoke(context.WithoutCancel(ctx), payload)
	if err != nil || len(out) == 0 {
		return response, err
	}
	if err := json.Unmarshal(out, &response); err != nil {
		return response, fmt.Errorf("response: %w", err)
	}
	return response, nil
}
