package fanout_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// Which jobs are retries, and keep to the share of retries.

// apart gives the world a worker with a poster of its own for retries, and with separate
// queues for parts and retries.
func (w *world) apart(options fanout.Options) (retryPoster *poster, parts, retries *memqueue.Queue) {
	retryPoster = &poster{mu: w.poster.mu, answer: w.poster.answer, got: w.poster.got}
	parts, retries = memqueue.New(memqueue.Config{}), memqueue.New(memqueue.Config{})
	w.worker = fanout.New(fanout.Ports{
		Connections: w.faultyStore, Subscriptions: w.subscribers, Poster: w.poster, RetryPoster: retryPoster,
		Parts: parts, Retries: retries, DeadLetters: w.dead,
	}, slog.New(slog.DiscardHandler), options)
	return retryPoster, parts, retries
}

// Every job from the queue of retries is posted within the share of retries.
func TestWhatIsAskedAgainIsARetry(t *testing.T) {
	for name, c := range map[string]struct {
		age    time.Duration
		answer error
		times  int
	}{
		"not open yet": {0, ports.ErrGone, 1},
		"unconfirmed":  {time.Hour, ports.ErrGone, 1},
		"rejected":     {time.Hour, ports.ErrRejected, 2},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{})
			retryPoster, parts, retries := w.apart(fanout.Options{})
			w.register("a", time.Now().Add(-c.age))
			w.poster.answer["a"] = until(c.times, c.answer)
			w.send(`1`)
			w.handle(context.Background(), w.receive())
			if parts.Depth() != (memqueue.Depth{}) || retries.Depth().Delayed != 1 {
				t.Errorf("parts %+v, retries %+v", parts.Depth(), retries.Depth())
			}
			w.poster.posts = 0
			w.queue = retries
			w.work()
			if w.poster.posts != 0 || retryPoster.posts == 0 {
				t.Errorf("%d posts with the full share, %d with that of retries", w.poster.posts, retryPoster.posts)
			}
		}))
	}
}

// sendBack redrives the dead letters to the queue of jobs, and returns how many.
func (w *world) sendBack() int {
	w.t.Helper()
	dead := w.deadLetters()
	for _, letter := range dead {
		if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: letter.Body}); err != nil {
			w.t.Fatal(err)
		}
	}
	return len(dead)
}

// Dead letters can be redriven to any queue, including that of retries. A new message
// that arrives together with one does not have to wait for it.
func TestADeadLetterOfAScanThatIsSentBackIsARetry(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		retryPoster, _, _ := w.apart(fanout.Options{MaxAttempts: 1})
		w.connect(2)
		w.faultyStore.failScan = func(domain.Cursor) error { return ports.ErrThrottled }
		w.send(`"old"`)
		w.work()
		w.faultyStore.failScan = nil
		n := w.sendBack()
		w.send(`"new"`)
		w.handle(context.Background(), w.receive())
		if n != 1 || w.poster.posts != 2 || retryPoster.posts != 2 {
			t.Errorf("%d dead letters, %d posts with the full share, %d with that of retries", n, w.poster.posts, retryPoster.posts)
		}
	})(t)
}

func TestWhatIsLeftOfADeadLetterForConnectionsIsARetryToo(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 100, fanout.Options{})
		retryPoster, parts, retries := w.apart(fanout.Options{MaxAttempts: 1, InFlight: 4, Repeats: -1})
		all := w.connect(20)
		for _, id := range all {
			w.poster.answer[id] = always(ports.ErrThrottled)
		}
		w.send(`1`)
		w.work()
		w.poster.posts = 0
		clear(w.poster.answer)
		retryPoster.hold = func(domain.ConnectionID) { time.Sleep(2 * time.Second) } // longer than a pass of retries has
		w.sendBack()
		w.handle(context.Background(), w.receive())
		if w.poster.posts != 0 || parts.Depth() != (memqueue.Depth{}) || retries.Depth().Ready != 1 {
			t.Errorf("%d posts with the full share; parts %+v, retries %+v", w.poster.posts, parts.Depth(), retries.Depth())
		}
	})(t)
}

// A slow client gets its payloads one pass after another. None of these passes may be
// one of those that serve connections for the first time.
func TestARetryThatIsCutShortStaysARetry(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		retryPoster, parts, retries := w.apart(fanout.Options{Repeats: -1})
		id := w.connect(1)[0]
		w.poster.answer[id] = until(1, ports.ErrThrottled)
		want := w.sendLarge(6)
		w.handle(context.Background(), w.receive())
		retryPoster.hold = func(domain.ConnectionID) { time.Sleep(2 * time.Second) } // two fit into a pass
		w.queue = retries
		w.work()
		w.wantGot(id, want...)
		if depth := parts.Depth(); depth != (memqueue.Depth{}) {
			t.Errorf("parts %+v", depth)
		}
	})(t)
}

// A redriven job is posted with the share of retries, which does not show how fast the
// worker is with new jobs.
func TestARetryDoesNotShowHowFastAWorkerIs(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorldOf(t, 5000, fanout.Options{})
		retryPoster, parts, _ := w.apart(fanout.Options{InFlight: 400, Parts: 3})
		w.connect(2000)
		retryPoster.hold = func(domain.ConnectionID) { time.Sleep(200 * time.Millisecond) } // 2 s with 100 slots
		w.body(`"redriven"`, `"reason":"scan"`)
		w.handle(context.Background(), w.receive())
		w.send(`"new"`)
		w.handle(context.Background(), w.receive())
		if depth := parts.Depth(); depth != (memqueue.Depth{}) {
			t.Errorf("the new job was split: %+v", depth)
		}
	})(t)
}
