package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// What a pass must not hold up: other passes, and its own posts.

// holds fails unless an invocation with everything on the queue ends in time.
func (w *world) holds(atMost time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	work := w.receive()
	start := time.Now()
	w.handle(ctx, work)
	if took := time.Since(start); took > atMost {
		w.t.Errorf("the worker was held %v, want %v at most", took, atMost)
	}
}

// slowly makes a connection answer just before its post times out.
func (w *world) slowly(slow ...domain.ConnectionID) {
	w.poster.hold = func(id domain.ConnectionID) {
		if slices.Contains(slow, id) {
			time.Sleep(2900 * time.Millisecond)
		}
	}
}

func TestOneSlowConnectionHoldsAWorkerNoLongerThanTwoPosts(t *testing.T) {
	for name, begin := range map[string]func(*world){
		"many payloads":        func(w *world) { w.sendLarge(10) },
		"refused":              func(w *world) { w.poster.answer["c-0"] = until(3, ports.ErrThrottled); w.send(`1`) },
		"fails":                func(w *world) { w.poster.answer["c-0"] = until(3, errors.New("503")); w.send(`1`) },
		"many payloads, fails": func(w *world) { w.poster.answer["c-0"] = until(3, errors.New("503")); w.sendLarge(10) },
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorldOf(t, 100, fanout.Options{})
			w.connect(5)
			w.slowly("c-0")
			begin(w)
			for w.queue.Depth() != (memqueue.Depth{}) {
				w.holds(6 * time.Second)
			}
			if got, want := len(w.poster.contents(t, "c-0")), len(w.poster.contents(t, "c-1")); got != want {
				t.Errorf("the slow one got %d messages of %d", got, want)
			}
			if dead := w.deadLetters(); len(dead) > 0 {
				t.Errorf("%d dead letters", len(dead))
			}
		}))
	}
}

func TestAPassOfRetriesLeavesTheRestOver(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{InFlight: 4, Repeats: -1}) // one place for retries
		all := w.connect(20)
		for _, id := range all {
			w.poster.answer[id] = until(1, ports.ErrThrottled)
		}
		w.send(`1`)
		w.handle(context.Background(), w.receive()) // leaves a job for all of them over
		w.slowly(all...)
		w.poster.posts = 0
		w.holds(9 * time.Second)
		if w.poster.posts < 2 {
			t.Errorf("%d posts", w.poster.posts)
		}
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
	})(t)
}

func TestADeadConnectionHoldsAWorkerNoLongerThanAPost(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{ConfirmGoneAfter: -1})
		w.connect(5)
		w.poster.answer["c-0"] = always(ports.ErrGone)
		w.faultyStore.onDelete = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.send(`1`)
		w.holds(4 * time.Second)
	})(t)
}

// Retries have a queue, a poster and slots of their own; untried posts do not.
func TestRetriesAreKeptApart(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, InFlight: 2})
		w.poster.tries = make(map[domain.ConnectionID]int)
		retryPoster := &poster{mu: w.poster.mu, answer: w.poster.answer, got: w.poster.got, tries: w.poster.tries}
		parts, retries := memqueue.New(memqueue.Config{}), memqueue.New(memqueue.Config{})
		w.worker = fanout.New(fanout.Ports{
			Connections: w.store, Subscriptions: w.subscribers, Poster: w.poster, RetryPoster: retryPoster,
			Parts: parts, Retries: retries, DeadLetters: w.dead,
		}, slog.New(slog.DiscardHandler), fanout.Options{Repeats: -1})
		w.connect(3)
		w.poster.answer["c-0"] = until(1, ports.ErrThrottled)
		w.poster.answer["c-1"] = until(1, ports.ErrNotSent)
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		if parts.Depth().Delayed != 1 || retries.Depth().Delayed != 1 {
			t.Errorf("parts %+v, retries %+v", parts.Depth(), retries.Depth())
		}
		posts := w.poster.posts
		w.queue = parts
		w.work()
		w.wantGot("c-1", `1`)
		if w.poster.posts != posts+1 || retryPoster.posts != 0 {
			t.Errorf("%d posts and %d retries for what was not tried", w.poster.posts-posts, retryPoster.posts)
		}
		w.queue = retries
		w.work()
		w.wantGot("c-0", `1`)
		if w.poster.posts != posts+1 || retryPoster.posts != 1 {
			t.Errorf("%d posts and %d retries for what failed", w.poster.posts-posts, retryPoster.posts)
		}
	})(t)
}

// A client that takes one payload at each attempt makes progress, and its job does not
// become a dead letter.
func TestProgressIsNoFailedAttempt(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, MaxAttempts: 2})
		w.connect(1)
		w.poster.answer["c-0"] = func(try int) error {
			if try%2 == 0 {
				return ports.ErrThrottled
			}
			return nil
		}
		want := w.sendLarge(6)
		w.work()
		w.wantGot("c-0", want...)
	})(t)
}

// The last attempt of a scan is the first attempt for a connection on its page.
func TestAConnectionThatFailsInAScanIsNotToBlameForTheScan(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, MaxAttempts: 3})
		w.connect(2)
		w.poster.answer["c-0"] = until(2, ports.ErrThrottled)
		w.job(`"attempt":2`)
		w.work()
		w.wantGot("c-0", `1`)
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("%d dead letters", len(dead))
		}
	})(t)
}

func TestWhyAPassFailedIsInTheLog(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(3)
		w.faultyStore.failScan = func(domain.Cursor) error { return errors.New("scan denied") }
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		w.faultyStore.failScan = nil
		w.poster.answer["c-0"] = always(errors.New("post denied"))
		w.poster.answer["c-1"] = always(ports.ErrThrottled)
		w.handle(context.Background(), w.receive())
		log := w.log.String()
		for _, part := range []string{`"level":"WARN"`, "scan denied", "post denied"} {
			if !strings.Contains(log, part) {
				t.Errorf("no %s in %s", part, log)
			}
		}
	})(t)
}

func TestAPostThatWasNotSentIsNoFailedAttempt(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 2, Repeats: -1})
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
		w := newWorld(t, fanout.Options{Repeats: 3})
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

func TestTheNextPageIsReadWhilePostsAreUnderWay(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{InFlight: 1})
		release := make(chan struct{})
		w.poster.hold = func(domain.ConnectionID) { <-release }
		var scans atomic.Int64
		w.faultyStore.onScan = func(context.Context) { scans.Add(1) }
		w.connect(12) // four pages
		w.send(`1`)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.handle(context.Background(), w.receive())
		}()
		synctest.Wait() // all that can go on while no post ends has gone on
		if n := scans.Load(); n < 2 {
			t.Errorf("%d pages read", n)
		}
		close(release)
		<-done
	})(t)
}

func TestPostsDoNotWaitForRowsToBeDeleted(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 25, fanout.Options{MaxHeld: 100, ConfirmGoneAfter: -1})
		release := make(chan struct{})
		w.faultyStore.onDelete = func(context.Context) error {
			<-release
			return nil
		}
		all := w.connect(700)
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
