package memqueue

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := New(Config{Visibility: 10 * time.Second}), time.Now()
		send(t, q, "a")
		first := receive(t, q, 1)[0]
		wantDepth(t, q, Depth{InFlight: 1})
		second := receive(t, q, 1)[0] // waits for the visibility to run out
		if after := time.Since(start); after != 10*time.Second {
			t.Errorf("redelivered after %v, want 10s", after)
		}
		if first.ID != second.ID || first.ReceiveCount != 1 || second.ReceiveCount != 2 {
			t.Errorf("received as %+v, then as %+v", first, second)
		}
		if !second.SentAt.Equal(start) || !second.FirstReceivedAt.Equal(start) {
			t.Errorf("sent at %v and first received at %v, want %v", second.SentAt, second.FirstReceivedAt, start)
		}
		uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		if !uuid.MatchString(first.ID) {
			t.Errorf("the id %q is not a UUID of version 4", first.ID)
		}
	})
}

func TestReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Visibility: time.Second})
		send(t, q, "a")
		old := receive(t, q, 1)[0].Receipt
		latest := receive(t, q, 1)[0].Receipt
		q.Delete(old, "no receipt", "")
		wantDepth(t, q, Depth{InFlight: 1})
		q.ChangeVisibility(0, old)
		wantDepth(t, q, Depth{InFlight: 1})
		time.Sleep(time.Second)
		wantDepth(t, q, Depth{Ready: 1})
		q.ChangeVisibility(time.Hour, latest)
		wantDepth(t, q, Depth{Ready: 1}) // no longer in flight
		q.Delete(latest)                 // but no one else has received it
		wantDepth(t, q, Depth{})
		q.Delete(latest)
		wantDepth(t, q, Depth{})
	})
}

func TestChangeVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, start := New(Config{Visibility: 10 * time.Second}), time.Now()
		send(t, q, "later", "sooner", "now")
		batch := receive(t, q, 3)
		q.ChangeVisibility(time.Minute, batch[0].Receipt)
		q.ChangeVisibility(5*time.Second, batch[1].Receipt)
		q.ChangeVisibility(0, batch[2].Receipt)
		for _, want := range []struct {
			body  string
			after time.Duration
		}{{"now", 0}, {"sooner", 5 * time.Second}, {"later", time.Minute}} {
			again := receive(t, q, 3)
			wantBodies(t, again, want.body)
			q.Delete(receipts(again)...)
			if after := time.Since(start); after != want.after {
				t.Errorf("%q was redelivered after %v, want %v", want.body, after, want.after)
			}
		}
	})
}

// TestWaitingReceivers: each message reaches one of the receivers that wait or are about
// to.
func TestWaitingReceivers(t *testing.T) {
	for range 500 { // chance decides who is already waiting when the messages arrive
		synctest.Test(t, func(t *testing.T) {
			q := New(Config{})
			got := make(chan string, 4)
			var receivers sync.WaitGroup
			for range cap(got) {
				receivers.Go(func() { got <- receive(t, q, 1)[0].Body })
			}
			send(t, q, "a", "b", "c", "d")
			receivers.Wait()
			wantDepth(t, q, Depth{InFlight: 4})
		})
	}
}

// TestOneTokenForMany: two messages can arrive before any receiver waits, and leave one
// token; the receiver it wakes must wake the next.
func TestOneTokenForMany(t *testing.T) {
	q := New(Config{})
	send(t, q, "a", "b")
	<-q.visible
	q.take(1)
	if len(q.visible) != 1 {
		t.Error("a message is visible but no one will be woken for it")
	}
}

// TestReceiverLeaves: a message that wakes a departing receiver reaches the one that
// stays.
func TestReceiverLeaves(t *testing.T) {
	for range 200 { // chance decides how far the departing one has got
		synctest.Test(t, func(t *testing.T) {
			q := New(Config{})
			ctx, leave := context.WithCancel(t.Context())
			var receivers sync.WaitGroup
			receivers.Go(func() {
				if batch, err := q.Receive(ctx, 1); err == nil {
					q.ChangeVisibility(0, receipts(batch)...)
				}
			})
			synctest.Wait()
			receivers.Go(func() { wantBodies(t, receive(t, q, 1), "a") })
			synctest.Wait()
			send(t, q, "a")
			leave()
			receivers.Wait()
			wantDepth(t, q, Depth{InFlight: 1})
		})
	}
}

func TestReceiveEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if batch, err := q.Receive(ctx, 1); len(batch) > 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive from an empty queue: %v, %v", batch, err)
		}
		send(t, q, "a")
		if _, err := q.Receive(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive under a context that has ended: %v", err)
		}
		wantDepth(t, q, Depth{Ready: 1})
	})
}

func TestReceiveLimits(t *testing.T) {
	q := New(Config{ReceiveBytes: 8})
	send(t, q, "longer than that", "bbbb", "cccc", "d", "e", "f", "g")
	wantBodies(t, receive(t, q, 10), "longer than that")
	wantBodies(t, receive(t, q, 10), "bbbb", "cccc")
	wantBodies(t, receive(t, q, 2), "d", "e")
	wantBodies(t, receive(t, q, 0), "f")
	wantBodies(t, receive(t, q, 10), "g")
}
