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

	"testing/synctest"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

func TestEveryoneGetsEveryMessageOnce(t *testing.T) {
	w := newWorld(t, fanout.Options{})
	all := w.connect(10) // four pages
	w.send(`{"a" :  "<b>&서버"}`)
	w.work()
	w.send(`2`)
	w.work()
	for _, id := range all {
		w.wantGot(id, `{"a" :  "<b>&서버"}`, `2`)
	}
}

func TestJobsThatArriveTogetherShareAPass(t *testing.T) {
	w := newWorld(t, fanout.Options{})
	all := w.connect(4)
	for i := range 5 {
		w.send(fmt.Sprint(i))
	}
	messages := w.receive()
	slices.Reverse(messages)                     // a standard queue keeps no order
	messages = append(messages, messages[2:]...) // and delivers twice
	if failed := w.handle(context.Background(), messages); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	for _, id := range all {
		w.wantGot(id, "0", "1", "2", "3", "4")
	}
	if w.poster.posts != len(all) {
		t.Errorf("%d posts for %d connections", w.poster.posts, len(all))
	}
}

func TestAPayloadIsCutAtTheLimit(t *testing.T) {
	w := newWorld(t, fanout.Options{})
	id := w.connect(1)[0]
	var want []string
	for i := range 5 {
		want = append(want, `"`+strings.Repeat(fmt.Sprint(i), 60_000)+`"`)
		w.send(want[i])
	}
	w.work()
	w.wantGot(id, want...)
	if w.poster.posts != 3 {
		t.Errorf("%d posts, want 3: two messages fit one payload", w.poster.posts)
	}
}

func TestExactlyTheGoneArePruned(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(8)
		w.poster.answer["c-2"] = always(fmt.Errorf("410: %w", ports.ErrGone))
		w.poster.answer["c-5"] = always(ports.ErrGone)
		w.send(`1`)
		w.work()
		want := []domain.ConnectionID{"c-0", "c-1", "c-3", "c-4", "c-6", "c-7"}
		if got := w.registered(); !slices.Equal(got, want) {
			t.Errorf("registered: %v, want %v", got, want)
		}
		for _, id := range want {
			w.wantGot(id, `1`)
		}
	})(t)
}

// The gateway answers 410 for a socket that is not open yet.
func TestAFreshConnectionIsTriedAgainNotPruned(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{OpenGrace: 10 * time.Second, RequeueDelay: time.Second, MaxAttempts: 1})
		w.register("opening", time.Now())
		w.register("open", time.Now())
		w.poster.answer["opening"] = until(3, ports.ErrGone)
		w.send(`1`)
		w.work()
		w.wantGot("opening", `1`)
		w.wantGot("open", `1`)
		if got := w.registered(); len(got) != 2 {
			t.Errorf("registered: %v", got)
		}
	})(t)
}

func TestAFreshConnectionThatNeverOpensIsPrunedInTheEnd(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{OpenGrace: 10 * time.Second, RequeueDelay: time.Second, MaxAttempts: 1})
		w.register("dead", time.Now())
		w.poster.answer["dead"] = always(ports.ErrGone)
		started := time.Now()
		w.send(`1`)
		w.work()
		if got := w.registered(); len(got) > 0 {
			t.Errorf("registered: %v", got)
		}
		if took := time.Since(started); took < 10*time.Second {
			t.Errorf("pruned after %v", took)
		}
		if w.poster.posts > 6 { // at 0, 1, 2, 4, 8 and 16 s
			t.Errorf("%d posts", w.poster.posts)
		}
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

func TestAPassRetriesWhatFailed(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: 2})
		all := w.connect(5)
		w.poster.answer["c-1"] = until(1, ports.ErrThrottled)
		w.poster.answer["c-3"] = until(2, errors.New("503"))
		w.send(`1`)
		if batches := w.work(); batches != 1 {
			t.Errorf("%d batches, want 1", batches)
		}
		for _, id := range all {
			w.wantGot(id, `1`)
		}
		if w.poster.posts != 5+3 {
			t.Errorf("%d posts, want 8", w.poster.posts)
		}
	})(t)
}

func TestWhatStillFailsIsLeftOverForExactlyThose(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: 1})
		all := w.connect(7)
		w.poster.answer["c-1"] = until(3, ports.ErrThrottled)
		w.poster.answer["c-3"] = until(7, errors.New("timeout"))
		w.send(`1`)
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
		// 5 others once; c-1 accepts its fourth try, c-3 its eighth.
		if w.poster.posts != 5+4+8 {
			t.Errorf("%d posts, want 17", w.poster.posts)
		}
	})(t)
}

func TestAfterTheFirstFailureAConnectionGetsTheRestInOrder(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.connect(2)
		var want []string
		for i := range 4 { // one payload each
			want = append(want, `"`+strings.Repeat(fmt.Sprint(i), 100_000)+`"`)
			w.send(want[i])
		}
		w.poster.answer["c-1"] = func(try int) error {
			if try == 2 || try == 4 {
				return ports.ErrThrottled
			}
			return nil
		}
		w.work()
		w.wantGot("c-0", want...)
		w.wantGot("c-1", want...)
	})(t)
}

func TestWhatKeepsFailingIsDeadLetteredWithItsReasonAndCanBeSentBack(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 3})
		w.connect(3)
		w.poster.answer["c-1"] = always(errors.New("quota of zero"))
		id := w.send(`"hello"`)
		w.work()
		dead := w.deadLetters()
		if len(dead) != 1 || !strings.Contains(dead[0].Body, "quota of zero") {
			t.Fatalf("dead letters: %v", dead)
		}
		if log := w.log.String(); !strings.Contains(log, "given up") || !strings.Contains(log, string(id)) {
			t.Errorf("log: %s", log)
		}
		tries := w.poster.tries["c-1"]
		w.poster.answer["c-1"] = until(tries+4, errors.New("still zero")) // and that is no last attempt
		if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: dead[0].Body}); err != nil {
			t.Fatal(err)
		}
		w.work()
		for _, id := range []domain.ConnectionID{"c-0", "c-1", "c-2"} {
			w.wantGot(id, `"hello"`)
		}
	})(t)
}

// The reason for an earlier failure is not the reason for the next one.
func TestADeadLetterThatIsSentBackLosesItsReason(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1, MaxAttempts: 3})
		w.connect(1)
		w.poster.answer["c-0"] = always(errors.New("quota of zero"))
		w.send(`1`)
		w.work()
		if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: w.deadLetters()[0].Body}); err != nil {
			t.Fatal(err)
		}
		w.handle(context.Background(), w.receive())
		time.Sleep(time.Minute) // virtual
		if requeued := w.receive()[0].Body; strings.Contains(requeued, "quota of zero") {
			t.Errorf("requeued with the old reason: %s", requeued)
		}
	})(t)
}

func TestWhatCannotBeLeftOverComesAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.connect(2)
		w.poster.answer["c-1"] = always(ports.ErrThrottled)
		w.send(`1`)
		messages := w.receive()
		w.faultyQueue.err = errors.New("queue down")
		failed := w.handle(context.Background(), messages)
		if !slices.Equal(failed, []string{messages[0].ID}) {
			t.Errorf("failed: %v, want %v", failed, messages[0].ID)
		}
		w.faultyQueue.err = nil
		delete(w.poster.answer, "c-1")
		w.work()
		w.wantGot("c-1", `1`)
	})(t)
}

// refusing is a queue that takes nothing.
type refusing struct{}

func (refusing) Send(context.Context, ...ports.QueueMessage) error { return ports.ErrQueueFull }

func TestADeliveryComesAgainIfAnyQueueRefusesWhatIsLeftOfIt(t *testing.T) {
	for name, test := range map[string]struct {
		refuse  func(*fanout.Ports)
		options fanout.Options
		answer  error
	}{
		"parts of a split": {func(p *fanout.Ports) { p.Parts = refusing{} }, fanout.Options{Parts: 3}, nil},
		"retries":          {func(p *fanout.Ports) { p.Retries = refusing{} }, fanout.Options{}, ports.ErrThrottled},
		"dead letters":     {func(p *fanout.Ports) { p.DeadLetters = refusing{} }, fanout.Options{MaxAttempts: 1}, ports.ErrThrottled},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, test.options)
			w.connect(9)
			w.poster.answer["c-1"] = always(test.answer)
			outside := fanout.Ports{
				Connections: w.store, Subscriptions: w.subscribers, Poster: w.poster, Parts: w.queue, Retries: w.queue, DeadLetters: w.dead,
			}
			test.refuse(&outside)
			w.worker = fanout.New(outside, slog.New(slog.DiscardHandler), test.options)
			w.send(`1`)
			if failed := w.handle(context.Background(), w.receive()); len(failed) != 1 {
				t.Errorf("failed: %v", failed)
			}
		}))
	}
}

func TestAScanThatFailsGoesOnFromItsCursor(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		all := w.connect(9) // three pages
		failures := 0
		w.faultyStore.failScan = func(from domain.Cursor) error {
			if from != "" && failures < 2 {
				failures++
				return errors.New("throughput exceeded")
			}
			return nil
		}
		w.send(`1`)
		w.work()
		for _, id := range all {
			w.wantGot(id, `1`)
		}
		if failures != 2 || w.poster.posts != len(all) {
			t.Errorf("%d failures, %d posts", failures, w.poster.posts)
		}
	})(t)
}

func TestAScanThatNeverWorksIsDeadLettered(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		w.faultyStore.failScan = func(domain.Cursor) error { return errors.New("no such table") }
		w.send(`1`)
		w.work()
		if dead := w.deadLetters(); len(dead) != 1 || !strings.Contains(dead[0].Body, "no such table") {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

func TestBeforeTheDeadlineTheRestIsCarriedOn(t *testing.T) {
	inBubble(func(t *testing.T) {
		// One post at a time, a second each: five fit before the margin.
		w := newWorld(t, fanout.Options{InFlight: 1, DeadlineMargin: 5 * time.Second})
		w.poster.hold = func(domain.ConnectionID) { time.Sleep(time.Second) }
		all := w.connect(12)
		w.send(`1`)
		w.workUntil(10 * time.Second)
		for _, id := range all {
			w.wantGot(id, `1`)
		}
	})(t)
}

func TestWithoutTimeNothingIsTried(t *testing.T) {
	w := newWorld(t, fanout.Options{})
	w.connect(1)
	w.send(`1`)
	messages := w.receive()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // less than the margin
	defer cancel()
	if failed := w.handle(ctx, messages); len(failed) != 1 {
		t.Errorf("failed: %v", failed)
	}
	w.wantGot("c-0")
}

func TestABodyThatIsNoJobFailsAloneAndEndsOnTheDeadLetterQueue(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: "poison"}); err != nil {
			t.Fatal(err)
		}
		w.send(`1`)
		w.work()
		w.wantGot("c-0", `1`)
		if dead := w.deadLetters(); len(dead) != 1 || dead[0].Body != "poison" {
			t.Errorf("dead letters: %v", dead)
		}
	})(t)
}

func TestASlowConnectionDelaysNobody(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{InFlight: 2})
		all := w.connect(30)
		release := make(chan struct{})
		w.poster.hold = func(id domain.ConnectionID) {
			if id == "c-7" {
				<-release
			}
		}
		w.send(`1`)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.work()
		}()
		synctest.Wait() // all that can go on without c-7 has gone on
		for _, id := range all {
			if id != "c-7" {
				w.wantGot(id, `1`)
			}
		}
		close(release)
		<-done
		w.wantGot("c-7", `1`)
		if w.poster.peak != 2 {
			t.Errorf("%d posts in flight, want 2", w.poster.peak)
		}
	})(t)
}

func TestALargeLeftoverIsCutToFitTheQueue(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.connect(40)
		var want []string
		for i := range 12 { // 1.2 MB of messages
			want = append(want, `"`+strings.Repeat(string(rune('a'+i)), 100_000)+`"`)
			w.send(want[i])
		}
		for i := range 40 {
			w.poster.answer[domain.ConnectionID(fmt.Sprintf("c-%d", i))] = until(1, ports.ErrThrottled)
		}
		w.work()
		for i := range 40 {
			got := w.poster.contents(t, domain.ConnectionID(fmt.Sprintf("c-%d", i)))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("c-%d got %d contents, want %d", i, len(got), len(want))
			}
		}
		if dead := w.deadLetters(); len(dead) > 0 {
			t.Errorf("%d dead letters", len(dead))
		}
	})(t)
}

func TestTheSummaryNamesTheMessagesAndCounts(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(5)
		w.register("opening", time.Now())
		w.poster.answer["c-2"] = always(ports.ErrGone)
		w.poster.answer["c-3"] = until(3, ports.ErrThrottled)
		w.poster.answer["opening"] = until(1, ports.ErrGone)
		id := w.send(`1`)
		w.work()
		for _, part := range []string{`"msg":"fanned out"`, `"messageIds":["` + string(id) + `"]`,
			`"delivered":3`, `"throttled":3,"failed":1,"notYetOpen":1,"unconfirmed":1,"requeued":3`, `"posts":8`,
			`"gone":1`, `"requeued":0`, `"durationMs":`} {
			if !strings.Contains(w.log.String(), part) {
				t.Errorf("no %s in %s", part, w.log)
			}
		}
	})(t)
}
