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

// When rows are pruned, and when not.

// pruned posts a message and returns how long it took, and how many posts, until the
// connection's row was pruned.
func (w *world) pruned(id domain.ConnectionID) (took time.Duration, posts int) {
	w.t.Helper()
	began := time.Now()
	w.send(`1`)
	w.work()
	if slices.Contains(w.registered(), id) {
		w.t.Errorf("%s still has its row", id)
	}
	if dead := w.deadLetters(); len(dead) > 0 {
		w.t.Errorf("dead letters: %v", dead)
	}
	return time.Since(began), w.poster.tries[id]
}

func TestARowIsPrunedWhenASecondPostFindsItGoneToo(t *testing.T) {
	for name, test := range map[string]struct {
		confirm time.Duration
		least   time.Duration
		posts   int
	}{
		"default":       {0, 10 * time.Second, 2},
		"longer":        {time.Minute, time.Minute, 2},
		"never shorter": {time.Second, 10 * time.Second, 2},
		"never longer":  {time.Hour, ports.MaxQueueDelay, 2},
		"at once":       {-1, 0, 1},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{ConfirmGoneAfter: test.confirm, MaxAttempts: 1})
			w.connect(4)
			w.poster.answer["c-2"] = always(ports.ErrGone)
			took, posts := w.pruned("c-2")
			if took < test.least || took > test.least+time.Second || posts != test.posts {
				t.Errorf("pruned after %v and %d posts, want %v and %d", took, posts, test.least, test.posts)
			}
			for _, id := range []domain.ConnectionID{"c-0", "c-1", "c-3"} {
				w.wantGot(id, `1`)
			}
		}))
	}
}

// Once its socket had the time to open, a new row is confirmed like an old one: no
// sooner, and with no more posts.
func TestAFreshRowIsConfirmedToo(t *testing.T) {
	for _, confirm := range []time.Duration{0, time.Minute, 15 * time.Minute} {
		t.Run(fmt.Sprint(confirm), inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{ConfirmGoneAfter: confirm, MaxAttempts: 1})
			w.register("new", time.Now())
			w.poster.answer["new"] = always(ports.ErrGone)
			if took, posts := w.pruned("new"); took < confirm || took > confirm+20*time.Second || posts > 7 {
				t.Errorf("pruned after %v and %d posts", took, posts)
			}
		}))
	}
}

// API Gateway has answered 410 for connections that were alive.
func TestALiveConnectionThatWasCalledGoneOnceGetsItsMessages(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(4)
		w.poster.answer["c-2"] = until(1, ports.ErrGone)
		want := w.sendLarge(2)
		w.work()
		w.wantGot("c-2", want...)
		if got := w.registered(); len(got) != 4 {
			t.Errorf("registered: %v", got)
		}
	})(t)
}

// Each job for a connection says how long it will have been gone when it is received.
func TestEveryJobForAConnectionCountsItsOwnDelay(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		for i := range 3 {
			id := domain.ConnectionID(fmt.Sprint("opening-", i))
			w.register(id, time.Now())
			w.poster.answer[id] = func(try int) error {
				if try > i { // payloads that it has taken
					return ports.ErrGone
				}
				return nil
			}
		}
		w.sendLarge(3)
		w.handle(context.Background(), w.receive())
		for named, m := range w.receive() {
			if n := strings.Count(m.Body, `"goneFor":1000}`); n != named+1 {
				t.Errorf("job %d has %d connections that will have been gone for a second: %.200s", named, n, m.Body[len(m.Body)-200:])
			}
		}
	})(t)
}

// Answers from before it took a payload do not count.
func TestAConnectionThatTakesAPayloadIsNotGone(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(1)
		w.poster.answer["c-0"] = func(try int) error {
			if try == 1 || try == 3 { // the first payload, and the second
				return ports.ErrGone
			}
			return nil
		}
		want := w.sendLarge(2)
		w.work()
		w.wantGot("c-0", want...)
		if len(w.registered()) != 1 {
			t.Error("it has lost its row")
		}
	})(t)
}

// job puts a job on the queue, with the members besides its message.
func (w *world) job(members string) { w.body(`1`, members) }

func (w *world) body(content, members string) {
	w.t.Helper()
	w.newID(time.Now())
	body := fmt.Sprintf(`{"v":1,"messages":[{"id":"01KB%022d","sentAt":946684800000,"content":%q}]`, w.ids, content)
	if members != "" {
		body += "," + members
	}
	if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: body + "}"}); err != nil {
		w.t.Fatal(err)
	}
}

// A clock that is wrong, or that was set back, must neither keep a dead connection
// forever nor cost a live one its row.
func TestRegistrationsFromTheFuture(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"a little":     time.Second,
		"an hour":      time.Hour,
		"decades":      50 * 365 * 24 * time.Hour,
		"microseconds": 250 * 365 * 24 * time.Hour, // as far ahead as a Duration goes
	} {
		for _, off := range []time.Duration{0, -1} {
			options := fanout.Options{ConfirmGoneAfter: off}
			t.Run(fmt.Sprint(name, " ", off), inBubble(func(t *testing.T) {
				w := newWorld(t, options)
				w.register("dead", time.Now().Add(ahead))
				w.poster.answer["dead"] = always(ports.ErrGone)
				if took, posts := w.pruned("dead"); posts > 6 || took > 20*time.Second {
					t.Errorf("%d posts in %v", posts, took)
				}
			}))
			if start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); !domain.Plausible(start.Add(ahead)) {
				continue // no job: decodeJob refuses it
			}
			t.Run(fmt.Sprint(name, " in a job ", off), inBubble(func(t *testing.T) {
				w := newWorld(t, options)
				w.register("dead", time.Now().Add(ahead))
				w.poster.answer["dead"] = always(ports.ErrGone)
				w.job(fmt.Sprintf(`"only":[{"id":"dead","at":%d}],"attempt":1`, time.Now().Add(ahead).UnixMilli()))
				w.work()
				if posts := w.poster.posts; posts > 6 || len(w.registered()) > 0 {
					t.Errorf("%d posts, registered: %v", posts, w.registered())
				}
			}))
		}
	}
}

// The socket opens six seconds after its row was written, by any clock.
func TestAConnectionThatIsYetToOpenIsNotPrunedWhateverTheClocksSay(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, -5 * time.Second, -time.Second, 0, time.Second, 5 * time.Second, time.Hour} {
		t.Run(fmt.Sprint(off), inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{MaxAttempts: 1})
			w.register("opening", time.Now().Add(off))
			opens := time.Now().Add(6 * time.Second)
			w.poster.answer["opening"] = func(int) error {
				if time.Now().Before(opens) {
					return ports.ErrGone
				}
				return nil
			}
			w.send(`1`)
			w.work()
			w.wantGot("opening", `1`)
			if len(w.registered()) != 1 {
				t.Error("it has lost its row")
			}
			if posts := w.poster.tries["opening"]; posts > 6 {
				t.Errorf("%d posts", posts)
			}
		}))
	}
}

// Where one answer is enough, it is not while the socket may be about to open: first by
// the clock, then by the time that has passed since.
func TestWithoutConfirmationTooASocketHasTimeToOpen(t *testing.T) {
	for name, job := range map[string]string{
		"fresh":                    `"only":[{"id":"opening","at":%d}]`,
		"fresh by another's clock": `"only":[{"id":"opening","at":0,"goneFor":1000}],"attempt":1`,
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{ConfirmGoneAfter: -1})
			w.register("opening", time.Now())
			w.poster.answer["opening"] = until(3, ports.ErrGone)
			w.job(strings.Replace(job, "%d", fmt.Sprint(time.Now().UnixMilli()), 1))
			w.work()
			w.wantGot("opening", `1`)
			if len(w.registered()) != 1 {
				t.Error("it has lost its row")
			}
		}))
	}
}

// A connection is confirmed even while other things go wrong.
func TestFailuresBetweenTwoAnswersDoNotStartTheConfirmationAnew(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.connect(1)
		w.poster.answer["c-0"] = func(try int) error {
			if try == 2 || try == 3 {
				return ports.ErrThrottled
			}
			return ports.ErrGone
		}
		if _, posts := w.pruned("c-0"); posts != 4 {
			t.Errorf("%d posts", posts)
		}
	})(t)
}

// Jobs for the same connections can differ in how long these have been gone.
func TestTheLongestTimeCountsWhenJobsCoalesce(t *testing.T) {
	for _, order := range [][]int{{0, 9_000}, {9_000, 0}} {
		inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{OpenGrace: 9 * time.Second})
			w.connect(2)
			w.poster.answer["c-1"] = always(ports.ErrGone)
			for _, ms := range order {
				w.job(strings.Replace(fmt.Sprintf(`"only":[{"id":"c-1","at":0,"goneFor":%d}],"attempt":1`, ms), `,"goneFor":0`, "", 1))
			}
			if batches := w.work(); batches != 1 || len(w.registered()) != 1 {
				t.Errorf("%d batches, registered: %v", batches, w.registered())
			}
		})(t)
	}
}
