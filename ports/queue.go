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
	// Body is valid UTF-8, 1 to MaxQueueBody bytes long, without the characters that XML
	// 1.0 forbids, which SQS refuses.
	Body string
	// Delay is how long the message stays invisible at first, 0 to
	// MaxQueueDelay; fractions of a second are rounded up where the technology
	// counts in seconds.
	Delay time.Duration
	// Job is what Body encodes, if the sender has it at hand: a queue that needs to know it
	// is spared decoding it.
	Job *domain.Job
}

// Queue is the sending half of a queue with at-least-once delivery. The use cases need no
// more; a driving adapter reads through Receiver, the other half.
type Queue interface {
	// Send puts any number of messages onto the queue and returns once all of them are
	// stored. It is safe for concurrent use and keeps nothing it was given.
	//
	// A *SendError names every message that is not known to be stored; all others are
	// stored and must not be sent again. After any other error none is known to be
	// stored. A message that exceeds a limit fails with ErrTooLarge or ErrBadMessage, and
	// a full queue with ErrQueueFull.
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
	return fmt.Sprintf("%d messages not queued; first error: %v", len(e.Failed), e.Failed[first])
}

// Unwrap returns the reasons.
func (e *SendError) Unwrap() []error {
	reasons := make([]error, 0, len(e.Failed))
	for _, err := range e.Failed {
		reasons = append(reasons, err)
	}
	return reasons
}
