package lambdalocal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

const (
	maxWait    = 20 * time.Second       // of a long poll
	maxReceive = 10                     // messages in one request
	pauseAfter = 200 * time.Millisecond // an error of the queue
	// deleteTimeout bounds the deletion of what a batch has done.
	deleteTimeout = 10 * time.Second
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

	arn string
}

// Start runs the event source until the test is over and waits for the
// invocations under way. Functions it invokes must have been made before it.
func (s *EventSource) Start(t testing.TB) {
	t.Helper()
	s.BatchSize = cmp.Or(s.BatchSize, maxReceive)
	s.Concurrency = cmp.Or(s.Concurrency, 2)
	s.Log = cmp.Or(s.Log, slog.New(slog.DiscardHandler))
	attributes, err := s.Client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &s.QueueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("event source: %v", err)
	}
	s.arn = attributes.Attributes["QueueArn"]
	ctx, cancel := context.WithCancel(context.Background())
	var workers errgroup.Group
	for range s.Concurrency {
		workers.Go(func() error { return s.work(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		_ = workers.Wait() // it is always that of ctx
	})
}

func (s *EventSource) work(ctx context.Context) error {
	for ctx.Err() == nil {
		batch, err := s.gather(ctx)
		if len(batch) > 0 {
			for _, part := range payloads(batch) {
				s.handle(context.WithoutCancel(ctx), part)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("queue not read", "error", err)
			pause(ctx, pauseAfter)
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// gather returns a batch. With an error it may have got messages as well, which
// have to be handled.
func (s *EventSource) gather(ctx context.Context) ([]types.Message, error) {
	batch, err := s.receive(ctx, s.BatchSize, maxWait)
	for end := time.Now().Add(s.Window); err == nil && 0 < len(batch) && len(batch) < s.BatchSize; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		var more []types.Message
		more, err = s.receive(ctx, s.BatchSize-len(batch), left)
		batch = append(batch, more...)
	}
	return batch, err
}

// payloads cuts a batch into as many as the limit to a payload takes. Bodies grow
// when they become JSON strings, hence the slack.
func payloads(batch []types.Message) (parts [][]types.Message) {
	start, bytes := 0, 0
	for i, m := range batch {
		bytes += len(*m.Body)
		if i > start && bytes > MaxPayload/4 {
			parts = append(parts, batch[start:i])
			start, bytes = i, len(*m.Body)
		}
	}
	return append(parts, batch[start:])
}

// receive makes one long poll. SQS counts its wait in seconds, so it is rounded
// up; giving up earlier could lose messages until they are visible again.
func (s *EventSource) receive(ctx context.Context, limit int, wait time.Duration) ([]types.Message, error) {
	seconds := (min(wait, maxWait) + time.Second - 1) / time.Second
	out, err := s.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &s.QueueURL,
		MaxNumberOfMessages:         int32(min(limit, maxReceive)),
		WaitTimeSeconds:             int32(seconds),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return out.Messages, nil
}

// handle invokes the function and deletes what it did not report as failed.
func (s *EventSource) handle(ctx context.Context, batch []types.Message) {
	payload, err := json.Marshal(s.event(batch))
	if err != nil {
		panic(err) // strings alone: nothing in it can fail
	}
	response, err := s.Invoke(ctx, payload)
	var done []types.Message
	if err == nil {
		done, err = succeeded(batch, response)
	}
	if err == nil {
		err = s.delete(ctx, done)
	}
	if err != nil {
		s.Log.Warn("batch failed", "messages", len(batch), "error", err)
	}
}

// event is the batch as Lambda hands it over, without message attributes.
func (s *EventSource) event(batch []types.Message) events.SQSEvent {
	var event events.SQSEvent
	for _, m := range batch {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId:      *m.MessageId,
			ReceiptHandle:  *m.ReceiptHandle,
			Body:           *m.Body,
			Md5OfBody:      *m.MD5OfBody,
			Attributes:     m.Attributes,
			EventSourceARN: s.arn,
			EventSource:    "aws:sqs",
			AWSRegion:      arnRegion(s.arn),
		})
	}
	return event
}

// arnRegion returns the fourth part of an ARN, its region.
func arnRegion(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

// succeeded returns the messages of the batch that a response does not report.
// A response that cannot be read, or reports a message that is not in the batch,
// fails all of them; an empty one, null, and one with no list fail none.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func succeeded(batch []types.Message, response []byte) ([]types.Message, error) {
	var report events.SQSEventResponse
	if len(response) > 0 {
		if err := json.Unmarshal(response, &report); err != nil {
			return nil, fmt.Errorf("response: %w", err)
		}
	}
	failed := make(map[string]bool, len(report.BatchItemFailures))
	for _, failure := range report.BatchItemFailures {
		failed[failure.ItemIdentifier] = true
	}
	var done []types.Message
	for _, m := range batch {
		if failed[*m.MessageId] {
			delete(failed, *m.MessageId)
		} else {
			done = append(done, m)
		}
	}
	if len(failed) > 0 {
		return nil, errors.New("response: it reports messages that are not in the batch")
	}
	return done, nil
}

func (s *EventSource) delete(ctx context.Context, done []types.Message) error {
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	for len(done) > 0 {
		n := min(len(done), maxReceive)
		out, err := s.Client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{
			QueueUrl: &s.QueueURL, Entries: deletions(done[:n]),
		})
		if err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if len(out.Failed) > 0 {
			return fmt.Errorf("delete: %d of %d messages: %s", len(out.Failed), n, *out.Failed[0].Code)
		}
		done = done[n:]
	}
	return nil
}

func deletions(done []types.Message) []types.DeleteMessageBatchRequestEntry {
	entries := make([]types.DeleteMessageBatchRequestEntry, 0, len(done))
	for i, m := range done {
		id := fmt.Sprint(i)
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: m.ReceiptHandle})
	}
	return entries
}
