package broadcast_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/broadcast"
	"serverless-websocket/ports"
)

// What one pass must not hold up: other passes, and the posts of its own.

func TestAPassOverSlowConnectionsByNameLeavesTheRestOver(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, broadcast.Options{InFlight: 4, Retries: -1, PassTime: 5 * time.Second}) // one place for retries
		all := w.connect(20)
		for _, id := range all {
			w.poster.answer[id] = until(1, ports.ErrThrottled)
		}
		w.send(`1`)
		w.handle(context.Background(), w.receive()) // leaves a job for all of them over
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		w.poster.posts = 0
		retry := w.receive() // once they have come due
		start := time.Now()
		w.handle(context.Background(), retry)
		if took := time.Since(start); took > 7*time.Second || w.poster.posts < 5 {
			t.Errorf("%d posts in %v", w.poster.posts, took)
		}
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
	})(t)
}

func TestAPostThatWasNotSentIsNoFailedAttempt(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, broadcast.Options{MaxAttempts: 2, Retries: -1})
		w.connect(3)
		w.poster.answer["c-1"] = until(20, ports.ErrNotSent)
		w.send(`1`)
		w.work()
		for i := range 3 {
			w.wantGot(domain.ConnectionID(fmt.Sprintf("c-%d", i)), `1`)
		}
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("%d dead letters", len(dead))
		}
	})(t)
}

func TestAPostThatTookTooLongIsLeftToAnotherPass(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, broadcast.Options{Retries: 3})
		w.connect(3)
		w.poster.answer["c-1"] = until(1, context.DeadlineExceeded)
		w.poster.answer["c-2"] = until(1, ports.ErrThrottled)
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		w.wantGot("c-1")
		w.wantGot("c-2", `1`)
		w.work()
		w.wantGot("c-1", `1`)
	})(t)
}

func TestPostsDoNotWaitForRowsToBeDeleted(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 500, broadcast.Options{})
		release := make(chan struct{})
		w.faultyStore.onDelete = func(context.Context) error {
			<-release
			return nil
		}
		all := w.connect(9_000)
		for _, id := range all {
			w.poster.answer[id] = always(ports.ErrGone)
		}
		w.send(`1`)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.handle(context.Background(), w.receive())
		}()
		synctest.Wait() // all that can go on without a deletion has gone on
		if w.poster.posts != len(all) {
			t.Errorf("%d posts to %d connections while rows are being deleted", w.poster.posts, len(all))
		}
		close(release)
		<-done
		if left := w.registered(); len(left) > 0 {
			t.Errorf("%d rows are left", len(left))
		}
	})(t)
}
