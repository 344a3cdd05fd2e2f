package fanout_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// What a rejection means for the connection, and for the worker.

func TestARowThatIsRejectedForItselfIsPrunedAndNamedOnce(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(7)
		w.poster.answer["c-2"] = always(fmt.Errorf("400: %w", ports.ErrRejected))
		w.poster.answer["c-3"] = always(fmt.Errorf("403: %w", ports.ErrRejected))
		took, posts := w.pruned("c-2")
		if took < 10*time.Second || posts != 4 || w.poster.tries["c-3"] != 4 {
			t.Errorf("%d posts in %v", posts, took)
		}
		want := []domain.ConnectionID{"c-0", "c-1", "c-4", "c-5", "c-6"}
		if got := w.registered(); !slices.Equal(got, want) {
			t.Errorf("registered: %v", got)
		}
		for _, id := range want {
			w.wantGot(id, `1`)
		}
		log := w.log.String()
		for _, id := range []string{"c-2", "c-3"} {
			if strings.Count(log, `"connectionId":"`+id+`"`) != 1 || strings.Contains(log, `"ERROR"`) {
				t.Errorf("log: %s", log)
			}
		}
	})(t)
}

// With a wrong stage, a wrong endpoint or a lost permission, every post is rejected.
func TestAWorkerThatMayNotPostStopsAndPrunesNobody(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{InFlight: 4, MaxAttempts: 3})
		all := w.connect(1000)
		w.poster.denied = func() bool { return true }
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Millisecond) } // virtual: or a check takes as long as the scheduler likes
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		if w.poster.posts > 20 {
			t.Errorf("%d posts before the pass stops", w.poster.posts)
		}
		if log := w.log.String(); strings.Count(log, `"ERROR"`) != 1 || !strings.Contains(log, "403") {
			t.Errorf("log: %s", log)
		}
		w.work()
		if len(w.registered()) != len(all) {
			t.Errorf("%d rows are left", len(w.registered()))
		}
		dead := w.deadLetters()
		// One for the rest of the scan, and one for each page that an attempt reaches
		// before it learns that it may not post.
		if len(dead) < 1 || len(dead) > 4 || !strings.Contains(dead[0].Body, "403") {
			t.Errorf("%d dead letters", len(dead))
		}
		w.poster.denied = nil
		for _, letter := range dead {
			if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: letter.Body}); err != nil {
				t.Fatal(err)
			}
		}
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
	})(t)
}

// More connections than a pass remembers.
func TestWhoWasNotTriedSinceNobodyMayPostFailsForThatReason(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{InFlight: 4, MaxAttempts: 1, MaxHeld: 50})
		w.connect(100)
		w.poster.denied = func() bool { return true }
		w.send(`1`)
		w.handle(context.Background(), w.receive())
		connections := 0
		for _, letter := range w.deadLetters() {
			connections += strings.Count(letter.Body, `{"id":"c-`)
			if !strings.Contains(letter.Body, "403") {
				t.Errorf("no reason in %.200s", letter.Body)
			}
		}
		if connections != 100 {
			t.Errorf("%d connections in dead letters", connections)
		}
	})(t)
}

func TestPermissionLostForAWhileInTheMiddleOfAPass(t *testing.T) {
	for _, after := range []int{0, 1, 13, 99} {
		for _, gone := range []time.Duration{time.Millisecond, 5 * time.Second, 30 * time.Second} {
			t.Run(fmt.Sprint(after, " posts, for ", gone), inBubble(func(t *testing.T) {
				w := newWorldOf(t, 10, fanout.Options{InFlight: 8})
				all := w.connect(100)
				w.poster.hold = func(domain.ConnectionID) { time.Sleep(10 * time.Millisecond) }
				var lost time.Time
				w.poster.denied = func() bool {
					if w.poster.posts > after && lost.IsZero() {
						lost = time.Now()
					}
					return !lost.IsZero() && time.Since(lost) < gone
				}
				w.send(`1`)
				w.work()
				for _, id := range all {
					w.wantGot(id, `1`) // once
				}
				if left := len(w.registered()); left != len(all) {
					t.Errorf("%d rows are left", left)
				}
			}))
		}
	}
}

// The permission comes back between the rejection and the probe.
func TestARejectionIsLookedAtTwice(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, ConfirmGoneAfter: -1})
		w.connect(2)
		w.poster.answer["c-0"] = until(1, ports.ErrRejected)
		w.send(`1`)
		if batches := w.work(); batches != 1 || len(w.registered()) != 2 {
			t.Errorf("%d batches, registered: %v", batches, w.registered())
		}
		w.wantGot("c-0", `1`)
	})(t)
}

// The permission is lost for a moment while posts are under way.
func TestManySecondLooksHoldAWorkerNoLongerThanASecond(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 1000, fanout.Options{})
		all := w.connect(500)
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(10 * time.Millisecond) }
		for _, id := range all {
			w.poster.answer[id] = until(1, ports.ErrRejected)
		}
		w.send(`1`)
		w.holds(time.Second)
		for _, id := range all {
			w.wantGot(id, `1`)
		}
	})(t)
}

// With a small quota there may be no room for the second post of a probe. Then a later
// pass must find the same, and earlier 410s do not count.
func TestNoTurnForASecondLook(t *testing.T) {
	for name, row := range map[string]struct {
		rejected int // posts, after one that found it gone
		pruned   bool
	}{"rejected in one pass": {1, false}, "in two": {2, true}} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{Repeats: -1})
			w.connect(2)
			rejected := 0
			w.poster.answer["c-0"] = func(try int) error {
				switch {
				case try == 1:
					return ports.ErrGone
				case try%2 == 1:
					return ports.ErrNotSent
				case rejected < row.rejected:
					rejected++
					return ports.ErrRejected
				}
				return nil
			}
			w.send(`1`)
			w.work()
			if pruned := len(w.registered()) == 1; pruned != row.pruned {
				t.Errorf("registered: %v", w.registered())
			}
			if !row.pruned {
				w.wantGot("c-0", `1`)
			}
		}))
	}
}

// If the probe is not answered either, the connections are tried again.
func TestARejectionThatNobodyExplainsIsAFailure(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 2})
		w.connect(2)
		w.poster.answer["c-0"] = always(ports.ErrRejected)
		w.poster.asked = ports.ErrThrottled
		w.send(`1`)
		w.work()
		if len(w.registered()) != 2 || len(w.deadLetters()) != 1 {
			t.Errorf("registered: %v", w.registered())
		}
	})(t)
}
