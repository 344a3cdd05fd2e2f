package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// What is requeued, with which attempt, and when.

// The worker that splits posts for six seconds. Its rest would last beyond the deadline.
func TestTheRestAfterASplitEndsBeforeTheDeadline(t *testing.T) {
	for deadline, want := range map[time.Duration]time.Duration{
		20 * time.Second: 10 * time.Second,         // the margin begins
		time.Hour:        13500 * time.Millisecond, // the last of six posts began after five
	} {
		inBubble(func(t *testing.T) {
			w := newWorldOf(t, 100, fanout.Options{InFlight: 1, Parts: 2, PostsPerSecond: 1})
			w.connect(12)
			w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
			w.send(`1`)
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			defer cancel()
			began := time.Now()
			w.handle(ctx, w.receive())
			if took := time.Since(began); w.poster.posts != 6 || took != want {
				t.Errorf("%d posts, and back after %v, want %v", w.poster.posts, took, want)
			}
		})(t)
	}
}

func TestAPayloadMayBeAsLongAsTheLimitAndNoLonger(t *testing.T) {
	for more, payloads := range []int{1, 2} {
		inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{})
			id := w.connect(1)[0]
			first := `"` + strings.Repeat("a", 1_000) + `"`
			m := domain.Message{ID: w.newID(time.Time{}), Content: domain.Content(first)}
			room := domain.MaxPayload - domain.EnvelopeSize(domain.ToEveryone(), "", m) - len(`,`) - (domain.EnvelopeSize(domain.ToEveryone(), "", m) - len(`{"messages":[]}`) - len(first))
			second := `"` + strings.Repeat("b", room-2+more) + `"`
			w.send(first)
			w.send(second)
			w.work()
			w.wantGot(id, first, second)
			if w.poster.posts != payloads {
				t.Errorf("%d bytes over the limit: %d payloads, want %d", more, w.poster.posts, payloads)
			}
		})(t)
	}
}

// One job has one attempt left; another for the same connections is new.
func TestOnlyJobsThatFailedEquallyOftenAreGivenUpTogether(t *testing.T) {
	for _, order := range [][]string{{"", `"attempt":2`}, {`"attempt":2`, ""}} {
		inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{MaxAttempts: 3})
			w.faultyStore.failScan = func(domain.Cursor) error { return errors.New("throughput exceeded") }
			w.connect(1)
			for _, members := range order {
				content := `"new"`
				if members != "" {
					content = `"old"`
				}
				w.body(content, members)
			}
			w.handle(context.Background(), w.receive())
			w.faultyStore.failScan = nil
			dead := w.deadLetters()
			if len(dead) != 1 || !strings.Contains(dead[0].Body, "old") || strings.Contains(dead[0].Body, "new") {
				t.Errorf("dead letters: %v", dead)
			}
		})(t)
	}
}

func TestAScanThatGotOnCountsItsFailuresAnew(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 2})
		all := w.connect(9) // three pages
		failures := map[domain.Cursor]int{}
		w.faultyStore.failScan = func(from domain.Cursor) error {
			if failures[from]++; failures[from] == 1 {
				return errors.New("throughput exceeded")
			}
			return nil
		}
		w.send(`1`)
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

// Messages must not wait for rows that cannot be deleted.
func TestWhatIsLeftIsPutBackBeforeRowsAreDeleted(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, ConfirmGoneAfter: -1})
		w.connect(3)
		w.poster.answer["c-0"] = always(ports.ErrGone)
		w.poster.answer["c-1"] = until(1, ports.ErrThrottled)
		deleted := false
		w.faultyStore.onDelete = func(context.Context) error {
			deleted = true
			if left := w.queue.Depth().Delayed; left != 1 {
				t.Errorf("%d jobs on the queue when the row is deleted", left)
			}
			return nil
		}
		w.send(`1`)
		w.work()
		if !deleted {
			t.Error("nothing was deleted")
		}
	})(t)
}

// A connection that failed, and whose repeat the quota left no room for, has failed.
func TestNoTurnAfterAFailureIsStillAFailure(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 1, Repeats: 1})
		w.connect(1)
		w.poster.answer["c-0"] = func(try int) error {
			if try == 1 {
				return errors.New("503")
			}
			return ports.ErrNotSent
		}
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		if dead := w.deadLetters(); len(dead) != 1 || !strings.Contains(dead[0].Body, "503") {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

// One that then took a payload, and got no room for the next, has not.
func TestNoTurnAfterASuccessIsNoFailure(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 1, Repeats: 1})
		w.connect(1)
		w.poster.answer["c-0"] = func(try int) error {
			return map[int]error{1: errors.New("503"), 3: ports.ErrNotSent}[try]
		}
		want := w.sendLarge(2)
		w.work()
		w.wantGot("c-0", want...)
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("%d dead letters", len(dead))
		}
	})(t)
}

// Three workers share a scan. The last one has not seen most of the table, and must
// not take its own part for all of it.
func TestTheRestOfAScanDoesNotShowHowLargeTheTableIs(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 4, fanout.Options{})
		w.connect(12)
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		options := fanout.Options{InFlight: 1, PostsPerSecond: 1, PassTime: 11 * time.Second}
		w.send(`1`)
		for hops := 0; w.queue.Depth() != (memqueue.Depth{}); hops++ {
			w.worker = fanout.New(fanout.Ports{
				Connections: w.store, Subscriptions: w.subscribers, Poster: w.poster, Parts: w.queue, Retries: w.queue, DeadLetters: w.dead,
			}, slog.New(slog.DiscardHandler), options)
			ctx, cancel := context.WithTimeout(context.Background(), 14*time.Second) // four posts before the margin
			w.handle(ctx, w.receive())
			cancel()
			if hops > 10 {
				t.Fatal("no progress")
			}
			options.Parts = 3 // the first one would have split the job
		}
		w.poster.hold = nil
		w.send(`2`)
		w.handle(context.Background(), w.receive())
		if parts := w.queue.Depth().Ready + 1; parts != 3 {
			t.Errorf("split into %d", parts)
		}
	})(t)
}

func TestNoTimeIsLeftForTheSecondPayload(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		want := w.sendLarge(2)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second+500*time.Millisecond)
		defer cancel()
		w.handle(ctx, w.receive())
		w.wantGot("c-0", want[0])
		w.work()
		w.wantGot("c-0", want...)
	})(t)
}

func TestAllDeliveriesOfAPassComeAgainWhenWhatIsLeftCannotBePutBack(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.connect(1)
		w.poster.answer["c-0"] = until(1, ports.ErrThrottled)
		for range 3 {
			w.send(`1`)
		}
		messages := w.receive()
		w.faultyQueue.err = errors.New("queue down")
		failed := w.handle(context.Background(), messages)
		slices.Sort(failed)
		var all []string
		for _, m := range messages {
			all = append(all, m.ID)
		}
		slices.Sort(all)
		if !slices.Equal(failed, all) {
			t.Errorf("failed: %v, want %v", failed, all)
		}
	})(t)
}

// Messages that the queue has taken are not sent again.
func TestOnlyWhatWasRefusedIsSentAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Parts: 5})
		w.connect(20)
		w.faultyQueue.refuses = 1
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		if left := w.queue.Depth().Ready; left != 4 {
			t.Errorf("%d parts on the queue, want 4", left)
		}
	})(t)
}

// No retry makes a payload smaller.
func TestAPayloadThatIsTooLargeIsADeadLetterAtOnce(t *testing.T) {
	for name, refuse := range map[string]func(*world){
		"by a post": func(w *world) { w.poster.answer["c-1"] = always(ports.ErrTooLarge) },
		"by all":    func(w *world) { w.poster.tooLarge = true },
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{})
			w.connect(3)
			refuse(w)
			w.send(`1`)
			if w.work() != 1 {
				t.Error("it was tried again")
			}
			dead := w.deadLetters()
			if len(dead) != 1 || !strings.Contains(dead[0].Body, ports.ErrTooLarge.Error()) {
				t.Errorf("dead letters %v", dead)
			}
			if name == "by a post" && (w.poster.tries["c-1"] != 1 || !strings.Contains(dead[0].Body, `"c-1"`)) {
				t.Errorf("%d posts, dead letters %v", w.poster.tries["c-1"], dead)
			}
		}))
	}
}

// A payload that is too large for a connection takes no other one with it: those after it
// still come, in their order, now or later.
func TestWhatFollowsAPayloadThatIsTooLargeIsDelivered(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		heard := w.observed(fanout.Options{Repeats: -1})
		w.connect(4)
		refuse := func(id domain.ConnectionID, answers map[int]error) {
			w.poster.answer[id] = func(try int) error { return answers[try] }
		}
		refuse("c-1", map[int]error{1: ports.ErrTooLarge})
		refuse("c-2", map[int]error{1: ports.ErrTooLarge, 2: ports.ErrTooLarge, 4: ports.ErrThrottled})
		refuse("c-3", map[int]error{2: ports.ErrTooLarge, 3: ports.ErrGone})
		all := w.sendLarge(4)
		w.handle(context.Background(), w.receive())
		if r := heard.reports[0]; r.Delivered != 1 || r.Failed != 3 || r.Unconfirmed != 1 || r.Posts != 4+4+4+3 {
			t.Errorf("the report is %+v", r)
		}
		w.work()
		w.wantGot("c-0", all...)
		w.wantGot("c-1", all[1:]...)
		w.wantGot("c-2", all[2:]...)
		w.wantGot("c-3", all[0], all[2], all[3])

		var dead []string
		for _, m := range w.deadLetters() {
			job, err := domain.DecodeJob(m.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range job.Messages {
				for _, c := range job.Only {
					dead = append(dead, fmt.Sprintf("%.2s for %s: %s", m.Content, c.ID, job.Reason))
				}
			}
		}
		slices.Sort(dead)
		want := []string{`"a for c-1: too large`, `"a for c-2: too large`, `"b for c-2: too large`, `"b for c-3: too large`}
		if !slices.Equal(dead, want) {
			t.Errorf("the dead letters are %q, want %q", dead, want)
		}
	})(t)
}
