// Package publish holds the use case of a sender: it accepts a message and puts it
// on the queue, from which package fanout takes it.
package publish

import (
	"context"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Publisher accepts messages for everybody. It may be used concurrently.
type Publisher struct {
	Queue ports.Queue
	// NewID returns a ULID for the instant; within a process, ids ascend. It is
	// called concurrently.
	NewID func(time.Time) domain.MessageID
}

// Publish puts the content on the queue as a message to everybody and returns the
// message once it is stored there: from then on it is delivered or ends on the
// dead-letter queue.
//
// The errors are *domain.Error: ContentTooLarge, and Unavailable when the queue
// did not take the message.
func (p *Publisher) Publish(ctx context.Context, content domain.Content) (domain.Message, error) {
	now := time.Now()
	message, err := domain.NewMessage(p.NewID(now), now, content)
	if err != nil {
		return domain.Message{}, err
	}
	job := domain.Job{Messages: []domain.Message{message}, To: domain.ToEveryone()}
	if err := p.Queue.Send(ctx, ports.QueueMessage{Body: job.Encode()}); err != nil {
		return domain.Message{}, &domain.Error{Code: domain.Unavailable, Cause: err}
	}
	return message, nil
}
