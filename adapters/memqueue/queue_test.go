package memqueue

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestConformance(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { conforms(t, func() Journal { return nil }) })
	t.Run("with a journal", func(t *testing.T) { conforms(t, func() Journal { return newJournal() }) })
}

func conforms(t *testing.T, journal func() Journal) {
	porttest.TestQueue(t, porttest.QueueHarness{
		New: func(_ *testing.T, visibility time.Duration, maxReceives int) porttest.QueueUnderTest {
			dead := New(Config{})
			q := underTest(New(Config{
				Visibility: visibility, MaxReceives: maxReceives, DeadLetters: dead, Log: quietLog(), Journal: journal(),
			}))
			q.DeadLetters = dead
			return q
		},
		NewFailing: func(*testing.T) porttest.QueueUnderTest {
			return underTest(New(Config{MaxBytes: 150, Journal: journal()}))
		},
	})
}

func underTest(q *Queue) porttest.QueueUnderTest {
	return porttest.QueueUnderTest{
		Queue: q, Receiver: q, WaitIdle: q.WaitIdle,
		Depth: func() (ready, delayed, inFlight int) {
			d := q.Depth()
			return d.Ready, d.Delayed, d.InFlight
		},
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := New(Config{}), time.Now()
		sendLater(t, q, "last", ports.MaxQueueDelay)
		sendLater(t, q, "second", 2*time.Second)
		sendLater(t, q, "first", time.Second)
		wantDepth(t, q, Depth{Delayed: 3})
		for _, want := range []struct {
			body  string
			after time.Duration
		}{{"first", time.Second}, {"second", 2 * time.Second}, {"last", ports.MaxQueueDelay}} {
			batch := receive(t, q, 10)
			wantBodies(t, batch, want.body)
			q.Delete(receipts(batch)...)
			if after := time.Since(start); after != want.after {
				t.Errorf("%q came after %v, want %v", want.body, after, want.after)
			}
		}
	})
}

// TestOrder: messages arrive in the order in which they became visible, not the order in
// which they were sent.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Visibility: 3 * time.Second})
		send(t, q, "again")
		wantBodies(t, receive(t, q, 10), "again")
		sendLater(t, q, "delayed", 2*time.Second)
		time.Sleep(time.Second)
		send(t, q, "a", "b", "c")
		time.Sleep(5 * time.Second)
		send(t, q, "d")
		wantBodies(t, receive(t, q, 2), "a", "b")
		wantBodies(t, receive(t, q, 10), "c", "delayed", "again", "d")
	})
}

func TestFull(t *testing.T) {
	q := New(Config{MaxBytes: 100})
	long := ports.QueueMessage{Body: strings.Repeat("x", 60)}
	short := ports.QueueMessage{Body: strings.Repeat("y", 40)}
	err := q.Send(t.Context(), long, long, short)
	var failure *ports.SendError
	if !errors.As(err, &failure) || len(failure.Failed) != 1 || !errors.Is(failure.Failed[1], ports.ErrQueueFull) {
		t.Fatalf("Send of 160 bytes to a queue of 100: %v, want ErrQueueFull for the second message", err)
	}
	batch := receive(t, q, 10)
	wantBodies(t, batch, long.Body, short.Body)
	if err := q.Send(t.Context(), short); !errors.Is(err, ports.ErrQueueFull) {
		t.Errorf("Send while all is in flight: %v, want ErrQueueFull", err)
	}
	q.Delete(batch[1].Receipt)
	if err := q.Send(t.Context(), short); err != nil {
		t.Errorf("Send after room was made: %v", err)
	}
}

func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{})
		if err := q.WaitIdle(t.Context()); err != nil {
			t.Errorf("an empty queue: %v", err)
		}
		send(t, q, "ready")
		sendLater(t, q, "delayed", time.Minute)
		idle := make(chan error, 1)
		go func() { idle <- q.WaitIdle(t.Context()) }()
		for range 2 {
			batch := receive(t, q, 10)
			synctest.Wait()
			if len(idle) > 0 {
				t.Fatalf("idle while %q is in flight", batch[0].Body)
			}
			q.Delete(batch[0].Receipt)
		}
		if err := <-idle; err != nil {
			t.Error(err)
		}
	})
}

func TestWaitIdleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{})
		send(t, q, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.WaitIdle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitIdle of a queue that no one reads: %v", err)
		}
	})
}

func TestNextReceive(t *testing.T) {
	q := New(Config{})
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	if !closed(q.NextReceive()) {
		t.Error("empty: not closed")
	}
	send := func() {
		if err := q.Send(t.Context(), ports.QueueMessage{Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	send()
	first := q.NextReceive()
	if closed(first) {
		t.Fatal("closed with a message on the queue")
	}
	batch, err := q.Receive(t.Context(), 10)
	if err != nil || !closed(first) {
		t.Fatalf("not closed by Receive: %v", err)
	}
	send()
	second := q.NextReceive()
	q.Delete(batch[0].Receipt)
	if closed(second) {
		t.Fatal("closed while one message is left")
	}
	batch, err = q.Receive(t.Context(), 10)
	third := q.NextReceive()
	if err != nil || !closed(second) || closed(third) {
		t.Fatalf("second Receive: closed %v, and %v behind it: %v", closed(second), closed(third), err)
	}
	q.Delete(batch[0].Receipt)
	if !closed(third) {
		t.Error("not closed by the last Delete")
	}
}
