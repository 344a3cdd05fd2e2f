package porttest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"serverless-websocket/ports"
)

// QueueHarness makes the queues under test.
type QueueHarness struct {
	// New makes an empty queue for the case t, which also cleans it up. A received
	// message becomes visible again after visibility, in whole seconds, and becomes a
	// dead letter after maxReceives receives.
	New func(t *testing.T, visibility time.Duration, maxReceives int) QueueUnderTest
	// NewFailing makes one that, of the first 25 short messages sent to it at once,
	// stores some and fails on the others, until the stored ones are received.
	NewFailing func(t *testing.T) QueueUnderTest
}

// QueueUnderTest is both halves of a queue plus optional abilities: the suite skips the
// cases of a field that is nil.
type QueueUnderTest struct {
	Queue    ports.Queue
	Receiver ports.Receiver
	// DeadLetters reads the dead-letter queue.
	DeadLetters ports.Receiver
	// Depth counts the messages that are visible, that are delayed, and that are in
	// flight.
	Depth func() (ready, delayed, inFlight int)
	// WaitIdle returns nil as soon as the queue holds no messages, and otherwise the
	// error of ctx.
	WaitIdle func(ctx context.Context) error
}

// The queues of most cases hide a received message for longer than a case lasts.
const (
	longVisibility  = 5 * time.Minute
	shortVisibility = time.Second
	manyReceives    = 1000
)

// TestQueue checks that the adapter fulfills the contracts of ports.Queue and
// ports.Receiver. The server under it must not duplicate messages by itself (an emulator
// does not): the suite takes a message that arrives twice for one that was sent twice.
func TestQueue(t *testing.T, h QueueHarness) {
	for name, run := range map[string]func(*queueCase){
		"one":                       (*queueCase).one,
		"none":                      (*queueCase).none,
		"many at once":              (*queueCase).many,
		"bodies pass unchanged":     (*queueCase).exact,
		"longest body":              (*queueCase).longest,
		"large ones together":       (*queueCase).largeTogether,
		"too large alone":           (*queueCase).tooLarge,
		"bad ones among good":       (*queueCase).badAmongGood,
		"bad bodies and delays":     (*queueCase).bad,
		"delay":                     (*queueCase).delay,
		"longest delay":             (*queueCase).longestDelay,
		"cancelled context":         (*queueCase).cancelled,
		"concurrent senders":        (*queueCase).concurrent,
		"the messages are not kept": (*queueCase).notKept,
		"batches":                   (*queueCase).batches,
		"change of visibility":      (*queueCase).changeOfVisibility,
		"partial failure":           (*queueCase).partialFailure,
		"deleted twice":             (*queueCase).deletedTwice,
		"receive ends":              (*queueCase).receiveEnds,
		"concurrent receivers":      (*queueCase).concurrentReceivers,
		"depth":                     (*queueCase).depth,
		"wait until idle":           (*queueCase).waitUntilIdle,
	} {
		t.Run(name, func(t *testing.T) { run(newQueueCase(t, h.New(t, longVisibility, manyReceives))) })
	}
	t.Run("visibility timeout", func(t *testing.T) {
		newQueueCase(t, h.New(t, shortVisibility, manyReceives)).visibilityTimeout()
	})
	t.Run("dead letters", func(t *testing.T) { newQueueCase(t, h.New(t, shortVisibility, 2)).deadLetters() })
	t.Run("some are not stored", func(t *testing.T) { newQueueCase(t, h.NewFailing(t)).someNotStored() })
}

// queueCase is one case with its own queue.
type queueCase struct {
	*testing.T
	QueueUnderTest
	ctx context.Context
}

func newQueueCase(t *testing.T, q QueueUnderTest) *queueCase {
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	t.Cleanup(cancel)
	return &queueCase{T: t, QueueUnderTest: q, ctx: ctx}
}

func (c *queueCase) send(messages ...ports.QueueMessage) {
	c.Helper()
	if err := c.Queue.Send(c.ctx, messages...); err != nil {
		c.Fatalf("Send of %d messages: %v", len(messages), err)
	}
}

// take waits until messages are visible, deletes them and returns their bodies.
func (c *queueCase) take(ctx context.Context) ([]string, error) {
	c.Helper()
	batch, err := c.Receiver.Receive(ctx, 10)
	if err := c.Receiver.Delete(receiptsOf(batch)...); err != nil {
		c.Errorf("Delete: %v", err)
	}
	return bodiesOf(batch), err
}

// next returns the next bodies to become visible, in any number.
func (c *queueCase) next() []string {
	c.Helper()
	bodies, err := c.take(c.ctx)
	if err != nil || len(bodies) == 0 {
		c.Fatalf("nothing to receive: %v", err)
	}
	return bodies
}

// quiet is how long a queue must yield nothing to count as empty.
const quiet = 100 * time.Millisecond

// holds receives until all of these bodies have arrived, in any order, and checks that
// nothing else does.
func (c *queueCase) holds(want ...string) {
	c.Helper()
	var got []string
	for len(got) < len(want) {
		bodies, err := c.take(c.ctx)
		got = append(got, bodies...)
		if err != nil || c.ctx.Err() != nil {
			c.Fatalf("%d of %d messages arrived, then %v (%v)", len(got), len(want), err, c.ctx.Err())
		}
	}
	c.same(append(got, c.rest()...), want)
}

// rest returns the messages that soon become visible.
func (c *queueCase) rest() []string {
	ctx, cancel := context.WithTimeout(c.ctx, quiet)
	defer cancel()
	bodies, _ := c.take(ctx) // its error only says that the time is over
	return bodies
}

func (c *queueCase) same(got, want []string) {
	c.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if len(got) != len(want) {
		c.Errorf("%d messages arrived, want %d: %.200q", len(got), len(want), got)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			c.Errorf("a body of %d bytes arrived as %.100q, want %d bytes, %.100q",
				len(got[i]), got[i], len(want[i]), want[i])
		}
	}
}

// plain returns messages without delay.
func plain(bodies ...string) []ports.QueueMessage {
	messages := make([]ports.QueueMessage, len(bodies))
	for i, body := range bodies {
		messages[i].Body = body
	}
	return messages
}

// bodiesLike returns n bodies like "prefix-7".
func bodiesLike(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return all
}
