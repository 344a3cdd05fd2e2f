package memqueue

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/ports"
)

// journal keeps bodies in memory.
type journal struct {
	mu     sync.Mutex
	last   uint64
	bodies map[uint64]string
	err    error // of Keep
}

func newJournal() *journal { return &journal{bodies: make(map[uint64]string)} }

func (j *journal) Kept() iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		for _, key := range slices.Sorted(maps.Keys(j.bodies)) {
			if !yield(key, j.bodies[key]) {
				return
			}
		}
	}
}

func (j *journal) Keep(_ context.Context, messages []ports.QueueMessage, kept func([]uint64)) error {
	keys, err := j.keep(messages)
	if err == nil {
		kept(keys)
	}
	return err
}

func (j *journal) keep(messages []ports.QueueMessage) (keys []uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return nil, j.err
	}
	for _, m := range messages {
		j.last++
		keys, j.bodies[j.last] = append(keys, j.last), m.Body
	}
	return keys, nil
}

func (j *journal) Forget(keys ...uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, key := range keys {
		delete(j.bodies, key)
	}
}

// What was not deleted is on the next queue, in order and as received before, whatever
// state it was in.
func TestAJournalOutlivesItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		q := New(Config{Journal: j, MaxReceives: 1, DeadLetters: New(Config{}), Visibility: time.Minute, Log: quietLog()})
		send(t, q, "dead")
		receive(t, q, 1)
		time.Sleep(2 * time.Minute)
		send(t, q, "deleted", "in flight", "ready")
		batch := receive(t, q, 2)
		q.Delete(batch[0].Receipt)
		sendLater(t, q, "delayed", time.Minute)
		next := New(Config{Journal: j})
		wantDepth(t, next, Depth{Ready: 4})
		send(t, next, "new")
		again := receive(t, next, 10)
		wantBodies(t, again, "dead", "in flight", "ready", "delayed", "new")
		for i, m := range again {
			if first := i == 4; first != (m.ReceiveCount == 1) {
				t.Errorf("%q was received %d times", m.Body, m.ReceiveCount)
			}
		}
		next.Delete(receipts(again)...)
		if len(j.bodies) != 0 {
			t.Errorf("%v are left", j.bodies)
		}
		if err := next.WaitIdle(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What the journal does not keep was not sent, and takes no room.
func TestAJournalThatFails(t *testing.T) {
	j := newJournal()
	j.err = errors.New("disk full")
	q := New(Config{Journal: j, MaxBytes: 10})
	for range 3 {
		err := q.Send(t.Context(), ports.QueueMessage{Body: "12345678"}, ports.QueueMessage{}, ports.QueueMessage{Body: "123"})
		var failure *ports.SendError
		if !errors.As(err, &failure) || failure.Failed[0] != j.err || !errors.Is(failure.Failed[1], ports.ErrBadMessage) ||
			!errors.Is(failure.Failed[2], ports.ErrQueueFull) {
			t.Fatalf("%v", err)
		}
	}
	wantDepth(t, q, Depth{})
	if err := q.WaitIdle(t.Context()); err != nil {
		t.Error(err)
	}
	j.err = nil
	send(t, q, "1234567890")
	wantBodies(t, receive(t, q, 1), "1234567890")
}

// unsureJournal keeps bodies, and does not know it.
type unsureJournal struct{ *journal }

func (j unsureJournal) Keep(ctx context.Context, messages []ports.QueueMessage, kept func([]uint64)) error {
	return errors.Join(j.journal.Keep(ctx, messages, kept), errUnsure)
}

var errUnsure = errors.New("the disk failed")

// What the journal may have kept is on the queue, though its sender does not know.
func TestAJournalThatDoesNotKnow(t *testing.T) {
	j := unsureJournal{newJournal()}
	q := New(Config{Journal: j, MaxBytes: 10})
	err := q.Send(t.Context(), ports.QueueMessage{Body: "12345678"})
	var failure *ports.SendError
	if !errors.As(err, &failure) || !errors.Is(failure.Failed[0], errUnsure) {
		t.Fatalf("%v", err)
	}
	if err := q.Send(t.Context(), ports.QueueMessage{Body: "123"}); !errors.Is(err, ports.ErrQueueFull) {
		t.Errorf("it takes no room: %v", err)
	}
	batch := receive(t, q, 1)
	wantBodies(t, batch, "12345678")
	q.Delete(receipts(batch)...)
	if err := q.WaitIdle(t.Context()); err != nil || len(j.bodies) > 0 {
		t.Errorf("%v, %v are left", err, j.bodies)
	}
}

// slowJournal keeps bodies when it is told to, and returns from Keep later.
type slowJournal struct {
	*journal
	calls    chan func() // each keeps the bodies of a call
	returned chan struct{}
}

func (j slowJournal) Keep(ctx context.Context, messages []ports.QueueMessage, kept func([]uint64)) error {
	j.calls <- func() { _ = j.journal.Keep(ctx, messages, kept) }
	<-j.returned
	return nil
}

// Messages come in the order in which the journal keeps them, not in that in which Send
// returns.
func TestTheOrderIsTheJournals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := slowJournal{newJournal(), make(chan func()), make(chan struct{})}
		q := New(Config{Journal: j})
		var keep []func()
		for _, body := range []string{"a", "b", "c"} {
			go send(t, q, body)
			keep = append(keep, <-j.calls)
		}
		synctest.Wait()
		wantDepth(t, q, Depth{})
		for _, i := range []int{1, 2, 0} {
			keep[i]()
		}
		wantBodies(t, receive(t, q, 10), "b", "c", "a")
		close(j.returned)
		synctest.Wait()
		wantDepth(t, q, Depth{InFlight: 3})
	})
}
