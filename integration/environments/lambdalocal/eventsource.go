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

// EventSource invokes a function with batches from a standard queue, as Lambda's
// event source mapping with ReportBatchItemFailures does. What is not deleted
// becomes visible again when the queue says so, and the queue redrives it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
type EventSource struct {
	Client   *sqs.Client
	QueueURL string
	// Invoke is Function.Invoke.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	// BatchSize is how many messages a batch has at most; 10. More than that
	// needs a Window.
	BatchSize int
	// Window is how long a batch may be gathered; 0, for what one request to
	// the queue returns.
	Window time.Duration
	// Concurrency is how many invocations run at once, maximumConcurrency on
	// AWS; 2, the least there.
	Concurrency int
	// Log gets requests and batches that failed as a whole; by default nothing
	// is logged.
	Log *slog.Logger
}

// Start runs the event source until the test is over and waits for the
// invocations under way. Functions it invokes must have been made before it.
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

// handle invokes the function. What bounds the invocation is the timeout of the
// function alone. An empty response, null, and one with no list fail no message.
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
