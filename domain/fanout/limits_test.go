package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sendLarge accepts n messages that each need a payload of their own.
func (w *world) sendLarge(n int) (contents []string) {
	for i := range n {
		contents = append(contents, `"`+strings.Repeat(string(rune('a'+i)), 100_000)+`"`)
		w.send(contents[i])
	}
	return contents
}

func TestADeadlineIsKeptBetweenThePayloadsOfOneConnection(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(2 * time.Second) }
		all := w.connect(3)
		want := w.sendLarge(20) // 40 s for each connection
		w.workUntil(15 * time.Second)
		for _, id := range all {
			w.wantGot(id, want...)
		}
	})(t)
}

// When the table does not answer, the rest must still be requeued.
func TestPruningDoesNotKeepWorkFromBeingLeftOver(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, ConfirmGoneAfter: -1})
		w.faultyStore.onDelete = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.connect(10)
		for i := range 5 {
			w.poster.answer[domain.ConnectionID(fmt.Sprintf("c-%d", i))] = always(ports.ErrGone)
		}
		w.poster.answer["c-9"] = until(1, ports.ErrThrottled)
		w.send(`1`)
		w.workUntil(20 * time.Second)
		w.work()
		for i := 5; i < 10; i++ {
			w.wantGot(domain.ConnectionID(fmt.Sprintf("c-%d", i)), `1`)
		}
	})(t)
}

// Connections that stop at different payloads must not each get a copy of the payloads
// that follow: the copies would outgrow any queue.
func TestWhatIsLeftOverIsNoLargerThanTheBatchAndItsRetries(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		all := w.connect(20)
		want := w.sendLarge(20)
		for i, id := range all {
			w.poster.answer[id] = func(try int) error { // stops at the i-th payload
				if try == i+1 {
					return ports.ErrThrottled
				}
				return nil
			}
		}
		w.handle(context.Background(), w.receive())
		if depth := w.queue.Depth(); depth.Delayed != 20 {
			t.Errorf("%d jobs left over, want one for each payload", depth.Delayed)
		}
		w.work()
		for _, id := range all {
			got := w.poster.contents(t, id)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s got %d contents, want %d", id, len(got), len(want))
			}
		}
	})(t)
}

func TestTheReasonIsNotAThrottleIfThereIsAWorseOne(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 1})
		w.connect(3)
		w.poster.answer["c-0"] = always(ports.ErrThrottled)
		w.poster.answer["c-1"] = always(errors.New("403 forbidden"))
		w.poster.answer["c-2"] = always(ports.ErrThrottled)
		w.send(`1`)
		w.work()
		if dead := w.deadLetters(); len(dead) != 1 || !strings.Contains(dead[0].Body, "403 forbidden") {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

func TestWhatTheQueueRefusesAtFirstIsOfferedAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Parts: 3})
		all := w.connect(9)
		w.faultyQueue.refuses = 2
		w.send(`1`)
		if failed := w.handle(context.Background(), w.receive()); len(failed) > 0 {
			t.Errorf("failed: %v", failed)
		}
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`) // once: what was taken is not sent again
		}
	})(t)
}

// All passes of a worker share its pool, and retries leave room in it.
func TestPostsInFlightAreCountedForTheWorker(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{InFlight: 8, Repeats: -1})
		all := w.connect(40)
		for _, id := range all {
			w.poster.answer[id] = always(ports.ErrThrottled)
		}
		for i := range 5 {
			w.send(fmt.Sprint(i))
			w.handle(context.Background(), w.receive()) // leaves a job over, each for its own time
		}
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		time.Sleep(time.Minute) // until all of them have come due
		w.poster.peak = 0
		w.handle(context.Background(), w.receive())
		if w.poster.peak != 2 {
			t.Errorf("%d posts in flight, want a quarter of 8: all are retries", w.poster.peak)
		}
		clear(w.poster.answer)
		w.send(`5`)
		w.work()
		if w.poster.peak > 8 {
			t.Errorf("%d posts in flight", w.poster.peak)
		}
		for _, id := range all {
			got := w.poster.contents(t, id)
			slices.Sort(got)
			if !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5"}) {
				t.Errorf("%s got %v", id, got)
			}
		}
	})(t)
}

// A scan whose context ends is not at the end of the table.
func TestAScanThatIsCutOffIsCarriedOn(t *testing.T) {
	inBubble(func(t *testing.T) {
		for takes := time.Second; takes < 30*time.Second; takes += time.Second {
			w := newWorld(t, fanout.Options{})
			all := w.connect(9) // three pages
			w.faultyStore.onScan = func(ctx context.Context) {
				select {
				case <-ctx.Done():
				case <-time.After(takes):
				}
			}
			w.send(`1`)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			w.handle(ctx, w.receive())
			cancel()
			w.faultyStore.onScan = nil
			w.work()
			for _, id := range all {
				w.wantGot(id, `1`)
			}
		}
	})(t)
}

// Slow retries must not keep a new message waiting.
func TestRetriesDoNotHoldUpANewMessage(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, InFlight: 8})
		all := w.connect(12)
		slow := all[:10]
		for i, id := range slow { // ten jobs, each for another connection
			w.poster.answer[id] = until(1, ports.ErrThrottled)
			w.send(fmt.Sprint(i))
			w.handle(context.Background(), w.receive())
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute) // until all have come due
		w.poster.hold = func(id domain.ConnectionID) {
			if slices.Contains(slow, id) {
				time.Sleep(3 * time.Second)
			}
		}
		w.send(`"new"`)
		sent := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.handle(context.Background(), w.receive())
		}()
		time.Sleep(4 * time.Second) // the slow take as long, once each
		got := w.poster.contents(t, all[11])
		if len(got) == 0 || got[len(got)-1] != `"new"` {
			t.Errorf("%v after it was sent, a fast client has %q", time.Since(sent), got)
		}
		<-done
	})(t)
}

// More retries than there can be passes arrive before a new message.
func TestANewMessageGoesBeforeTheRetriesOfItsBatch(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		for i := range 20 {
			w.job(fmt.Sprintf(`"only":[{"id":"slow-%d","at":0}],"attempt":1`, i))
		}
		w.send(`"new"`)
		w.poster.hold = func(id domain.ConnectionID) {
			if id != "c-0" {
				time.Sleep(2 * time.Second)
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.handle(context.Background(), w.receive())
		}()
		time.Sleep(time.Second)
		w.wantGot("c-0", `"new"`)
		<-done
	})(t)
}
