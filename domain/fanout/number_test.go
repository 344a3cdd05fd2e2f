package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/memlog"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

// faultyLog is the embedded log, with what a test has happen around the nth append.
type faultyLog struct {
	ports.MessageLog
	mu            sync.Mutex // batches of several channels are appended at once
	appends       int
	again         []bool // of each append
	before, after func(n int) error
}

func (l *faultyLog) Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]ports.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appends++
	l.again = append(l.again, again)
	if l.before != nil {
		if err := l.before(l.appends); err != nil {
			return nil, err
		}
	}
	at, err := l.MessageLog.Append(ctx, to, messages, again)
	if err == nil && l.after != nil {
		err = l.after(l.appends)
	}
	return at, err
}

// newLoggedWorld is newWorld with a log.
func newLoggedWorld(t *testing.T, options fanout.Options) *world {
	w := newWorld(t, options)
	w.history = &faultyLog{MessageLog: memlog.New(memlog.Options{Retention: 24 * time.Hour})}
	w.worker = w.newWorker(w.history)
	return w
}

// logged returns the contents in a log, and checks that the numbers are 1, 2, 3 ….
func (w *world) logged(to domain.Recipients) (contents []string) {
	w.t.Helper()
	all, err := w.history.Before(context.Background(), to, domain.Position{}, 1000, 1<<30)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, m := range all.Messages {
		if m.Seq != int64(i+1) {
			w.t.Errorf("message %d has number %d", i+1, m.Seq)
		}
		contents = append(contents, string(m.Content))
	}
	return contents
}

// wantNumbered fails unless the connection got these contents, and each with the number
// that it has in the log.
func (w *world) wantNumbered(id domain.ConnectionID, to domain.Recipients, contents ...string) {
	w.t.Helper()
	w.wantGot(id, contents...)
	logged := w.logged(to)
	end, err := w.history.End(context.Background(), to)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, payload := range w.poster.got[id] {
		var frame struct {
			Channel  string
			Epoch    domain.Epoch
			Messages []struct {
				Seq     int
				Content json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(payload), &frame); err != nil || frame.Channel != domain.ChannelName(to) || frame.Epoch != end.Epoch {
			w.t.Fatalf("%s got %s, %v; the log is at %s", id, payload, err, end)
		}
		for _, m := range frame.Messages {
			if m.Seq < 1 || m.Seq > len(logged) || logged[m.Seq-1] != string(m.Content) {
				w.t.Errorf("%s got %s with number %d, the log has %q", id, m.Content, m.Seq, logged)
			}
		}
	}
}

// wantAgain fails unless the log was told which appends may have been made before.
func (w *world) wantAgain(want ...bool) {
	w.t.Helper()
	if !slices.Equal(w.history.again, want) {
		w.t.Errorf("appends with again %v, want %v", w.history.again, want)
	}
}

func TestMessagesGetTheirNumbersBeforeTheyArePosted(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	ids := w.connect(4)
	w.send("1")
	w.send("2")
	w.poster.answer[ids[0]] = func(int) error {
		if got := w.logged(domain.ToEveryone()); len(got) < 2 {
			t.Errorf("posted when the log had %q", got)
		}
		return nil
	}
	w.work()
	w.send("3")
	w.work()
	for _, id := range ids {
		w.wantNumbered(id, domain.ToEveryone(), "1", "2", "3")
	}
}

// What is left over of a job keeps its numbers, and is not appended again.
func TestNumbersStay(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{Parts: 3, Repeats: -1})
		ids := w.connect(9)
		w.poster.answer[ids[4]] = until(3, errors.New("503"))
		w.send("1")
		w.send("2")
		w.work()
		for _, id := range ids {
			w.wantNumbered(id, domain.ToEveryone(), "1", "2")
		}
		if w.history.appends != 1 {
			t.Errorf("%d appends", w.history.appends)
		}
	}))
}

// No one gets a message that is not in the log yet. It is retried, and becomes a dead
// letter in the end.
func TestALogThatFails(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{MaxAttempts: 4})
		ids := w.connect(2)
		w.history.before = func(n int) error {
			if n <= 3 {
				return errors.New("throttled")
			}
			return nil
		}
		w.send("1")
		w.work()
		w.wantNumbered(ids[0], domain.ToEveryone(), "1")
		w.history.before = func(int) error { return errors.New("no table") }
		w.send("2")
		w.work()
		w.wantNumbered(ids[1], domain.ToEveryone(), "1")
		letters := w.deadLetters()
		if len(letters) != 1 || !strings.Contains(letters[0].Body, "no table") || !strings.Contains(w.log.String(), "not logged") {
			t.Fatalf("dead letters %+v, log %s", letters, w.log)
		}
		w.history.before = nil
		w.handle(t.Context(), letters)
		w.wantNumbered(ids[1], domain.ToEveryone(), "1", "2")
		w.wantAgain(false, true, true, true, false, true, true, true, true)
	}))
}

// Of several envelopes those that were appended go on, and only the others are retried.
func TestALogThatTakesOneEnvelopeOfTwo(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(2)
		w.history.before = func(n int) error {
			if n == 2 {
				return errors.New("throttled")
			}
			return nil
		}
		large := func(c string) string { return `"` + strings.Repeat(c, domain.MaxLogged/2) + `"` }
		w.send(large("a"))
		w.send(large("b"))
		w.send(large("c"))
		w.handle(t.Context(), w.receive())
		w.wantNumbered(ids[0], domain.ToEveryone(), large("a"))
		w.work()
		w.wantNumbered(ids[0], domain.ToEveryone(), large("a"), large("b"), large("c"))
	}))
}

// A message whose append had no answer, or whose job comes again, keeps its number.
func TestAMessageIsInTheLogOnce(t *testing.T) {
	t.Run("an answer that is lost", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(2)
		w.history.after = func(n int) error {
			if n == 1 {
				return context.DeadlineExceeded
			}
			return nil
		}
		w.send("1")
		w.handle(t.Context(), w.receive())
		if _, err := w.history.MessageLog.Append(t.Context(), domain.ToEveryone(), []domain.Message{{ID: w.newID(time.Now()), SentAt: time.Now(), Content: domain.Content("0")}}, false); err != nil {
			t.Fatal(err)
		}
		w.work()
		if got := w.logged(domain.ToEveryone()); !slices.Equal(got, []string{"1", "0"}) {
			t.Errorf("the log has %q", got)
		}
		w.wantNumbered(ids[0], domain.ToEveryone(), "1")
		w.wantAgain(false, true)
	}))
	t.Run("a job that comes again", func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(2)
		w.send("1")
		first := w.receive()
		w.handle(t.Context(), first)
		w.send("2")
		w.work()
		w.worker.Handle(t.Context(), []fanout.Delivery{{ID: first[0].ID, Body: first[0].Body, Again: true}})
		w.wantNumbered(ids[0], domain.ToEveryone(), "1", "2", "1")
		w.wantAgain(false, false, true)
	})
	t.Run("a dead letter of the queue that is sent back", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(2)
		w.send("1")
		first := w.receive()
		w.handle(t.Context(), first)
		w.send("2")
		w.work()
		time.Sleep(30 * time.Minute)
		w.worker.Handle(t.Context(), []fanout.Delivery{{ID: "another", Body: first[0].Body, QueuedAt: time.Now()}})
		w.wantNumbered(ids[0], domain.ToEveryone(), "1", "2", "1")
		w.wantAgain(false, false, true)
	}))
}

// Another worker can have appended the newer of two messages first.
func TestNumbersDecideTheOrder(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	ids := w.connect(1)
	w.send("1")
	w.send("2")
	jobs := w.receive()
	second, err := domain.DecodeJob(jobs[1].Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.history.MessageLog.Append(t.Context(), domain.ToEveryone(), second.Messages, false); err != nil {
		t.Fatal(err)
	}
	w.handle(t.Context(), jobs)
	w.wantNumbered(ids[0], domain.ToEveryone(), "2", "1")
}

// Each side of a conversation has a log of its own.
func TestTheLogsOfAConversation(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	w.subscribe(domain.ToUser("alice"), "alice", "a")
	w.subscribe(domain.ToUser("bob"), "bob", "b")
	if _, err := w.history.Append(t.Context(), domain.ToUser("bob"), []domain.Message{{ID: w.newID(time.Now()), SentAt: time.Now(), Sender: "carol", To: "bob", Content: domain.Content("0")}}, false); err != nil {
		t.Fatal(err)
	}
	message, err := domain.NewMessage(w.newID(time.Now()), time.Now(), "alice", domain.Content("1"))
	if err != nil {
		t.Fatal(err)
	}
	message.To = "bob"
	job := domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{message}}
	if failed := w.worker.Handle(t.Context(), []fanout.Delivery{{ID: "q", Body: job.Encode()}}); len(failed) > 0 {
		t.Fatal(failed)
	}
	w.wantNumbered("a", domain.ToUser("alice"), "1")
	w.wantNumbered("b", domain.ToUser("bob"), "1")
	if got := w.logged(domain.ToUser("bob")); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("bob's log has %q", got)
	}
}

// A log that starts over between two appends makes frames of two epochs.
func TestALogThatStartsOver(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	ids := w.connect(1)
	large := func(c string) string { return `"` + strings.Repeat(c, domain.MaxLogged/2) + `"` }
	first := w.history.MessageLog
	w.history.before = func(n int) error {
		if n == 2 {
			w.history.MessageLog = memlog.New(memlog.Options{Retention: time.Hour})
		}
		return nil
	}
	w.send(large("a"))
	w.send(large("b"))
	w.work()
	w.wantGot(ids[0], large("a"), large("b"))
	for i, log := range []ports.MessageLog{first, w.history.MessageLog} {
		end, err := log.End(t.Context(), domain.ToEveryone())
		if want := fmt.Sprintf(`"epoch":"%s"}`, end.Epoch); err != nil || end.Seq != 1 || !strings.HasSuffix(w.poster.got[ids[0]][i], want) {
			t.Errorf("frame %d: want …%s", i, want)
		}
	}
}

// A message that was accepted before there was a log can be too large for it.
func TestAMessageTooLargeForALog(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	ids := w.connect(2)
	small, large := `"small"`, `"`+strings.Repeat("x", domain.MaxPayload-200)+`"`
	w.send(small)
	w.send(large)
	w.send(small)
	w.work()
	if got := w.logged(domain.ToEveryone()); !slices.Equal(got, []string{small, small}) {
		t.Errorf("the log has %.100q", got)
	}
	got := w.poster.contents(t, ids[0])
	if slices.Sort(got); !slices.Equal(got, []string{small, small, large}) {
		t.Errorf("got %d messages: %.100q", len(got), got)
	}
	if letters := w.deadLetters(); len(letters) > 0 {
		t.Errorf("%d dead letters", len(letters))
	}
}

// That there was no time is no failed attempt.
func TestNoTimeToAppend(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{DeadlineMargin: 2 * time.Second, MaxAttempts: 2})
		ids := w.connect(2)
		w.history.before = func(n int) error {
			if n > 5 {
				return nil
			}
			time.Sleep(3500 * time.Millisecond) // virtual
			return context.DeadlineExceeded
		}
		w.send("1")
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			if failed := w.handle(ctx, w.receive()); len(failed) > 0 {
				t.Errorf("failed: %v", failed)
			}
			cancel()
		}
		w.work()
		w.wantNumbered(ids[0], domain.ToEveryone(), "1")
		w.wantAgain(false, true, true, true, true, true)
	}))
}

// Only part of the recipients is left of a job from before the stage had a log: the others
// have the messages without numbers.
func TestPartsFromBeforeTheLogHaveNoNumbers(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	ids := w.connect(2)
	message, err := domain.NewMessage(w.newID(time.Now()), time.Now(), "", domain.Content("1"))
	if err != nil {
		t.Fatal(err)
	}
	job := domain.Job{To: domain.ToEveryone(), Messages: []domain.Message{message}, Only: []domain.Target{{ID: ids[0]}}}
	if failed := w.worker.Handle(t.Context(), []fanout.Delivery{{ID: "q", Body: job.Encode()}}); len(failed) > 0 {
		t.Fatal(failed)
	}
	w.wantGot(ids[0], "1")
	if w.history.appends != 0 || strings.Contains(w.poster.got[ids[0]][0], "seq") {
		t.Errorf("%d appends, got %q", w.history.appends, w.poster.got[ids[0]])
	}
}
