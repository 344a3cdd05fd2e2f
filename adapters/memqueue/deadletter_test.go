package memqueue

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := New(Config{})
		q := New(Config{Visibility: time.Second, MaxReceives: 3, DeadLetters: dead, Log: quietLog()})
		send(t, q, "poison")
		var last Message
		for range 3 {
			last = receive(t, q, 1)[0]
		}
		idle := make(chan error, 1)
		go func() { idle <- q.WaitIdle(t.Context()) }()
		synctest.Wait()
		wantDepth(t, dead, Depth{})
		moved := receive(t, dead, 1)[0] // no one has to call q for it
		if moved.ID != last.ID || moved.Body != "poison" || moved.ReceiveCount != 1 || !moved.SentAt.Equal(last.SentAt) {
			t.Errorf("%+v became %+v", last, moved)
		}
		if err := <-idle; err != nil {
			t.Error(err)
		}
		q.Delete(last.Receipt)
		wantDepth(t, q, Depth{})
		wantDepth(t, dead, Depth{InFlight: 1})
	})
}

// TestDeadLettersAtOnce: giving back the last receive counts as its failure.
func TestDeadLettersAtOnce(t *testing.T) {
	dead := New(Config{})
	q := New(Config{MaxReceives: 1, DeadLetters: dead, Log: quietLog()})
	send(t, q, "poison")
	q.ChangeVisibility(0, receive(t, q, 1)[0].Receipt)
	wantDepth(t, q, Depth{})
	wantDepth(t, dead, Depth{Ready: 1})
}

// TestDeadLettersFull: a message that cannot be moved stays, and is moved as
// soon as there is room.
func TestDeadLettersFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := New(Config{MaxBytes: 10})
		q := New(Config{Visibility: time.Second, MaxReceives: 1, DeadLetters: dead, Log: quietLog()})
		send(t, dead, "in the way")
		send(t, q, "poison")
		receive(t, q, 1)
		wantBodies(t, receive(t, q, 1), "poison")
		dead.Delete(receive(t, dead, 1)[0].Receipt)
		wantBodies(t, receive(t, dead, 1), "poison")
		wantDepth(t, q, Depth{})
	})
}

// TestNoDeadLetters: without a dead-letter queue, a message is never given up.
func TestNoDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Visibility: time.Second, MaxReceives: 2})
		send(t, q, "poison")
		for i := range 10 {
			if m := receive(t, q, 1)[0]; m.ReceiveCount != i+1 {
				t.Fatalf("receive %d has the count %d", i+1, m.ReceiveCount)
			}
		}
	})
}
