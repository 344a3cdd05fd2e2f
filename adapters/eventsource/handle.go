package eventsource

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/ports"
)

// handle invokes the handler and deletes the messages that did not fail.
func (s *Source) handle(ctx context.Context, batch []ports.ReceivedMessage) {
	response, err := s.invoke(ctx, batch)
	var done, failed []string
	if err == nil {
		done, failed, err = split(batch, response)
	}
	if err != nil {
		s.Log.Error("batch failed", "messages", len(batch), "error", err)
		failed = receipts(batch)
	}
	s.record(done, failed)
}

// invoke calls the handler with its deadline and turns a panic into an error.
func (s *Source) invoke(ctx context.Context, batch []ports.ReceivedMessage) (response events.SQSEventResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.Handler(ctx, newEvent(batch, s.QueueARN))
}

// record deletes finished messages from the queue and schedules the retry of failed ones.
// If the queue refuses, the messages are redelivered when their visibility timeout ends.
func (s *Source) record(done, failed []string) {
	if len(done) > 0 {
		if err := s.Queue.Delete(done...); err != nil {
			s.Log.Error("messages not deleted; they will be redelivered", "messages", len(done), "error", err)
		}
	}
	if len(failed) > 0 && s.RetryAfter > 0 {
		if err := s.Queue.ChangeVisibility(s.RetryAfter, failed...); err != nil {
			s.Log.Error("visibility not changed; the retry will be late", "messages", len(failed), "error", err)
		}
	}
}
