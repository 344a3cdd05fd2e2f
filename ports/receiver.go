package ports

import (
	"context"
	"time"
)

// ReceivedMessage is one receive of a message.
type ReceivedMessage struct {
	ID      string // the same at every receive, and unique on its queue
	Receipt string // names this receive
	Body    string
	// ReceiveCount counts the receives so far, including this one. In some technologies,
	// such as SQS, it is approximate.
	ReceiveCount    int
	SentAt          time.Time
	FirstReceivedAt time.Time
}

// Receiver is the receiving half of a queue. Its messages arrive at least once
// and, unless the adapter promises more, in no particular order.
//
// All methods are safe for concurrent use, and several receivers can read one queue. None
// keeps a slice it was given.
//
// Delete and ChangeVisibility take no context: the outcome of a batch is recorded even if
// the batch has used up its time or its consumer is being stopped. They retry what the
// technology says is safe to retry, within their own time limit.
type Receiver interface {
	// Receive waits until a message is visible and returns it with others that are
	// visible by then, at most limit messages; a limit below 1 counts as 1. The messages
	// stay invisible for the visibility timeout. A message that is not deleted by then
	// becomes visible again or, after the last receive that its queue allows, moves to
	// the dead-letter queue.
	//
	// Receive returns either messages or an error. When ctx ends first, the error is that
	// of ctx; after any other, the caller pauses and calls again. A message lost on its
	// way to the caller counts as received.
	Receive(ctx context.Context, limit int) ([]ReceivedMessage, error)

	// Delete removes the messages of these receipts from the queue. A receipt is valid
	// until its message is received again or the queue gives it up; later it may have no
	// effect. A message that is already gone is no error. After an error, the remaining
	// messages become visible again.
	Delete(receipts ...string) error

	// ChangeVisibility makes messages in flight visible again after d from now, 0 to 12
	// hours, instead of when their visibility timeout ends. Fractions of a second are
	// rounded up where the technology counts in seconds. After an error, some messages
	// become visible when their visibility timeout ends. A receipt of a message that is
	// not in flight has no effect, and may cause an error.
	ChangeVisibility(d time.Duration, receipts ...string) error

	// VisibilityTimeout is how long a received message stays invisible.
	VisibilityTimeout() time.Duration
}
