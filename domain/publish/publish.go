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
	From    domain.Connection // as its row is now; without a user, the id is enough
	To      domain.Recipients
	Content domain.Content
	// Ref is the sender's own tag, if any, and Again says that the message may be a repeat of
	// one that he has sent under it before.
	Ref   string
	Again bool
}

// Publisher accepts messages. It may be used concurrently.
type Publisher struct {
	// Jobs takes messages for everyone, Channels those for users and rooms.
	Jobs, Channels ports.Queue
	// Subscriptions says who is in a room.
	Subscriptions ports.SubscriptionStore
	// NewID returns a ULID for the instant; within a process, ids ascend. It is
	// called concurrently.
	NewID  func(time.Time) domain.MessageID
	Policy domain.Policy
	// Logged says that messages are kept. So they can have domain.MaxLogged at most, and those
	// of users can be repeated.
	Logged bool
}

// Publish puts the content on the queue as a message to the recipients, and returns the
// message once it is there. From then on it is delivered, or ends on the dead-letter
// queue. Whether a user exists or is connected makes no difference.
//
// The errors are *domain.Error: Internal for recipients that are not Valid, which is
// the caller's mistake, Unauthenticated and Forbidden by the Policy, NotAMember of the
// room, for one that is sent again InvalidAgain without a domain.ValidRef, NoHistory if
// no messages are kept and Unauthenticated without a user, ContentTooLarge, and
// Unavailable when a store failed or the queue did not take the message. After an error
// nothing is queued, unless it is Unavailable since the context ended, or the answer
// was lost, while the queue took the message: then it may be.
func (p *Publisher) Publish(ctx context.Context, c Command) (domain.Message, error) {
	if !c.To.Valid() {
		return domain.Message{}, &domain.Error{Code: domain.Internal, Cause: fmt.Errorf("recipients %+v", c.To)}
	}
	if err := p.permit(ctx, c); err != nil {
		return domain.Message{}, err
	}
	now := time.Now()
	message, err := domain.NewMessage(p.NewID(now), now, c.From.User, c.Content)
	if err != nil {
		return domain.Message{}, err
	}
	if message.Ref, message.Again, err = p.repeatable(c); err != nil {
		return domain.Message{}, err
	}
	job, queue := domain.Job{To: c.To}, p.Channels
	switch c.To.Kind {
	case domain.Everyone:
		queue = p.Jobs
	case domain.User:
		message.To, job.Echo = c.To.Name, true
	}
	if domain.EnvelopeSize(c.To, "", message) > p.largest() {
		return domain.Message{}, domain.NewError(domain.ContentTooLarge)
	}
	job.Messages = []domain.Message{message}
	if err := queue.Send(ctx, ports.QueueMessage{Body: job.Encode(), Job: &job}); err != nil {
		return domain.Message{}, domain.NewUnavailable(err)
	}
	return message, nil
}

// repeatable returns the ref by which the log is to know the message again, if it can, and
// whether this may be a repeat.
func (p *Publisher) repeatable(c Command) (ref string, again bool, err error) {
	valid := domain.ValidRef(c.Ref)
	switch {
	case c.Again && !valid:
		return "", false, domain.NewError(domain.InvalidAgain)
	case c.Again && !p.Logged:
		return "", false, domain.NewError(domain.NoHistory)
	case c.Again && c.From.User == "":
		return "", false, domain.NewError(domain.Unauthenticated)
	case !valid || !p.Logged || c.From.User == "":
		return "", false, nil
	}
	return c.Ref, c.Again, nil
}

func (p *Publisher) largest() int {
	if p.Logged {
		return domain.MaxLogged
	}
	return domain.MaxPayload
}

// permit returns nil if the sender may send to the recipients.
func (p *Publisher) permit(ctx context.Context, c Command) error {
	if err := p.Policy.MaySend(c.From.Principal(), c.To); err != nil || c.To.Kind != domain.Room {
		return err
	}
	member, err := p.Subscriptions.Subscribed(ctx, domain.Subscription{To: c.To, Connection: c.From})
	switch {
	case err != nil:
		return domain.NewUnavailable(err)
	case !member:
		return domain.NewError(domain.NotAMember)
	}
	return nil
}
