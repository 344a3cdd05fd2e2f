package ports

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"serverless-websocket/domain"
)

// Limits of a queue; those of SQS.
const (
	// MaxQueueBody is the longest body of a queue message, in bytes of UTF-8.
	MaxQueueBody = domain.MaxJobBody
	// MaxQueueDelay is the longest time a message can be held back.
	MaxQueueDelay = 15 * time.Minute
)

// QueueMessage is what goes onto a queue.
type QueueMessage struct {
	// Body is valid UTF-8 without the characters that XML 1.0 forbids (SQS
	// takes no others), 1 to MaxQueueBody bytes long.
	Body string
	// Delay is how long the message stays invisible at first, 0 to
	// MaxQueueDelay; fractions of a second are rounded up where the technology
	// counts in seconds.
	Delay time.Duration
}

// Queue is the sending half of a queue of at-least-once delivery. The use cases
// need no more; a driving adapter reads through Receiver, the other half.
type Queue interface {
	// Send puts any number of messages onto the queue and returns once all of
	// them are stored. It may be called concurrently and keeps nothing.
	//
	// A *SendError names every message that is not known to be stored; all the
	// others are, and must not be sent again. After any other error none is known
	// to be. A message against the limits fails with ErrTooLarge or
	// ErrBadMessage, and a full queue with ErrQueueFull.
	Send(ctx context.Context, messages ...QueueMessage) error
}

// SendError names the messages of one Send that are not known to be stored, and
// says why.
type SendError struct {
	Failed map[int]error // by index into the messages
}

func (e *SendError) Error() string {
	if len(e.Failed) == 0 {
		return "no message failed"
	}
	first := slices.Min(slices.Collect(maps.Keys(e.Failed)))
	return fmt.Sprintf("%d messages not queued, the first of them: %v", len(e.Failed), e.Failed[first])
}

// Unwrap returns the reasons.
func (e *SendError) Unwrap() []error {
	reasons := make([]error, 0, len(e.Failed))
	for _, err := range e.Failed {
		reasons = append(reasons, err)
	}
	return reasons
}
