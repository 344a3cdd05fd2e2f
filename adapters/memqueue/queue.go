// Package memqueue is a queue in memory with the semantics of SQS: visibility
// timeout, receive count, delay and dead-letter queue.
package memqueue

import (
	"container/list"
	"context"
	"log/slog"
	"sync"
	"time"

	"serverless-websocket/ports"
)

// Defaults of a Config.
const (
	DefaultVisibility   = 30 * time.Second
	DefaultMaxReceives  = 5
	DefaultMaxBytes     = 64 << 20
	DefaultReceiveBytes = 6 << 20
)

// Config configures a Queue. The zero Config is valid.
type Config struct {
	// Visibility is how long a received message stays invisible; default 30 s.
	Visibility time.Duration
	// DeadLetters receives messages whose visibility timeout ends after MaxReceives
	// receives. While it is full, or if it is nil, the message stays and is received
	// again: none is ever dropped.
	DeadLetters *Queue
	// MaxReceives is only used with DeadLetters; default 5.
	MaxReceives int
	// MaxBytes is how many bytes of bodies are held before Send answers
	// ports.ErrQueueFull; default 64 MiB.
	MaxBytes int
	// ReceiveBytes is the maximum total of bodies that one Receive returns, unless it
	// returns a single message; default 6 MiB. Messages received together share one
	// visibility timeout, so there must not be more than fit into it.
	ReceiveBytes int
	// Log receives moves to DeadLetters; default slog.Default().
	Log *slog.Logger
	// Observer hears the same and more; nil if nobody else has to.
	Observer Observer
	// Journal keeps the bodies until the messages are deleted; nil keeps them in memory
	// alone. Those that it has kept come first, as received before and without a delay; so
	// do dead letters, which it goes on to keep.
	Journal Journal
}

func (c Config) withDefaults() Config {
	if c.Visibility <= 0 {
		c.Visibility = DefaultVisibility
	}
	if c.MaxReceives <= 0 {
		c.MaxReceives = DefaultMaxReceives
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.ReceiveBytes <= 0 {
		c.ReceiveBytes = DefaultReceiveBytes
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Queue is a queue in memory, both a ports.Queue and a ports.Receiver. Its methods
// may be called concurrently. A message on it is ready, hidden until a time (delayed
// or in flight), or deleted.
type Queue struct {
	cfg Config

	mu       sync.Mutex
	ready    list.List // of *message, in the order in which they became visible
	hidden   hidden
	receipts map[string]*message // by its latest receipt, also when ready again
	delayed  int                 // messages of hidden that were never received
	bytes    int                 // of bodies held
	hides    uint64              // how often a message was hidden
	alarm    alarm
	idle     chan struct{} // closed when nothing is left; nil while no one waits
	next     chan struct{} // closed by the next Receive; nil while no one waits

	// visible holds a token when there may be something for a waiting Receive.
	visible chan struct{}
}

// New returns a queue that is empty, but for what its journal has kept.
func New(cfg Config) *Queue {
	q := &Queue{
		cfg:      cfg.withDefaults(),
		receipts: make(map[string]*message),
		visible:  make(chan struct{}, 1),
	}
	if cfg.Journal != nil {
		q.restore()
	}
	return q
}

// Depth counts the messages of a queue by state.
type Depth struct {
	Ready    int // visible now
	Delayed  int // sent, not yet visible for the first time
	InFlight int // received, and neither deleted nor visible again
}

// Depth returns how many messages the queue holds.
func (q *Queue) Depth() Depth {
	q.enter()
	defer q.mu.Unlock()
	return Depth{
		Ready:    q.ready.Len(),
		Delayed:  q.delayed,
		InFlight: len(q.hidden) - q.delayed,
	}
}

// WaitIdle returns nil as soon as the queue holds no message at all: none ready,
// delayed or in flight. Otherwise it returns the error of the context.
func (q *Queue) WaitIdle(ctx context.Context) error {
	idle := q.idleness()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// idleness returns a channel that is closed once the queue is empty.
func (q *Queue) idleness() <-chan struct{} {
	q.enter()
	defer q.mu.Unlock()
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.settle()
	return idle
}

// NextReceive returns a channel that is closed when Receive is next called, or nothing is
// left: that is, when the only consumer has finished what it received.
func (q *Queue) NextReceive() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == nil {
		q.next = make(chan struct{})
	}
	next := q.next
	if q.bytes == 0 {
		q.turnOver()
	}
	return next
}

// turnOver wakes those who wait for the next Receive. The caller holds q.mu.
func (q *Queue) turnOver() {
	if q.next != nil {
		close(q.next)
		q.next = nil
	}
}

// settle wakes those who wait for idleness if the queue is empty, that is, if it holds no
// bytes: no body is empty.
func (q *Queue) settle() {
	if q.bytes > 0 {
		return
	}
	q.turnOver()
	if q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
}

// enter locks the queue, brings it up to date and returns the current time.
func (q *Queue) enter() time.Time {
	q.mu.Lock()
	now := time.Now()
	q.reveal(now)
	return now
}

var (
	_ ports.Queue    = (*Queue)(nil)
	_ ports.Receiver = (*Queue)(nil)
)
