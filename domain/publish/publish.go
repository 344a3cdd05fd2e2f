// Package publish is the use case of a sender: it accepts a message and puts it on the
// queue, from which package fanout takes it.
package publish

import (
	"context"
	"fmt"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Command asks to send a message.
type Command struct {
	From    domain.Principal
	To      domain.Recipients
	Content domain.Content
}

// Publisher accepts messages. It may be used concurrently.
type Publisher struct {
	Queue ports.Queue
	// NewID returns a ULID for the instant; within a process, ids ascend. It is
	// called concurrently.
	NewID  func(time.Time) domain.MessageID
	Policy domain.Policy
}

// Publish puts the content on the queue as a message to the recipients, and returns the
// message once it is there. From then on it is delivered, or ends on the dead-letter
// queue.
//
// The errors are *domain.Error: Internal for recipients that are not Valid, which is
// the caller's mistake, Unauthenticated when the sender's token has expired or by the Policy,
// Forbidden by the Policy, ContentTooLarge, and
// Unavailable when the queue did not take the message. After an error nothing is queued.
func (p *Publisher) Publish(ctx context.Context, c Command) (domain.Message, error) {
	if !c.To.Valid() {
		return domain.Message{}, &domain.Error{Code: domain.Internal, Cause: fmt.Errorf("recipients %+v", c.To)}
	}
	now := time.Now()
	if c.From.Expired(now) {
		return domain.Message{}, domain.NewError(domain.Unauthenticated)
	}
	if err := p.Policy.MaySend(c.From, c.To); err != nil {
		return domain.Message{}, err
	}
	message, err := domain.NewMessage(p.NewID(now), now, c.From.User, c.Content)
	if err != nil {
		return domain.Message{}, err
	}
	job := domain.Job{Messages: []domain.Message{message}, To: c.To}
	if err := p.Queue.Send(ctx, ports.QueueMessage{Body: job.Encode()}); err != nil {
		return domain.Message{}, &domain.Error{Code: domain.Unavailable, Cause: err}
	}
	return message, nil
}
