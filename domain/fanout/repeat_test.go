package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
)

// try puts a message of alice to everyone on the queue, which she sends with the ref.
func (w *world) try(content, ref string, again bool) domain.Message {
	w.t.Helper()
	m, err := domain.NewMessage(w.newID(time.Now()), time.Now(), "alice", domain.Content(content))
	if err != nil {
		w.t.Fatal(err)
	}
	m.Ref, m.Again = ref, again
	w.enqueue(domain.Job{To: domain.ToEveryone(), Messages: []domain.Message{m}})
	return m
}

// A repeat is not delivered, and can be followed to the message that is.
func TestARepeatGoesNoFurther(t *testing.T) {
	for name, together := range map[string]bool{"together": true, "one after the other": false} {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(4)
		first := w.try("1", "r", false)
		if !together {
			w.work()
		}
		repeat := w.try("1", "r", true)
		w.try("2", "other", true)
		w.work()
		for _, id := range ids {
			w.wantNumbered(id, domain.ToEveryone(), "1", "2")
		}
		want := fmt.Sprintf(`"msg":"repeated","messageId":"%s","repeatOf":"%s"`, repeat.ID, first.ID)
		if log := w.log.String(); strings.Count(log, `"msg":"repeated"`) != 1 || !strings.Contains(log, want) {
			t.Errorf("%s: logged %s", name, log)
		}
		if again := w.try("1", "r", true); w.work() != 1 || !strings.Contains(w.log.String(), string(again.ID)) {
			t.Errorf("%s: logged %s", name, w.log)
		}
		w.wantGot(ids[0], "1", "2")
	}
}

// The job of a message in the log delivers it, however often it comes, before a repeat and
// after it.
func TestAFirstTryIsDeliveredByItsOwnJob(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{})
		ids := w.connect(2)
		w.history.after = func(n int) error {
			if n == 1 {
				return context.DeadlineExceeded // it is in the log, and nobody knows
			}
			return nil
		}
		w.try("1", "r", false)
		w.handle(t.Context(), w.receive())
		w.try("1", "r", true)
		w.work()
		w.wantNumbered(ids[0], domain.ToEveryone(), "1")
	}))
}

// What is left over of a job needs no refs: it has numbers. What could not be appended
// keeps them.
func TestRefsInJobs(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newLoggedWorld(t, fanout.Options{Repeats: -1, MaxAttempts: 2})
		w.connect(2)
		w.try("1", "r", true)
		w.poster.answer["c-0"] = always(errors.New("503"))
		w.work()
		w.poster.answer["c-0"] = nil
		w.history.before = func(int) error { return errors.New("no table") }
		w.try("2", "r2", true)
		w.work()
		var refs []string
		for _, letter := range w.deadLetters() {
			job, err := domain.DecodeJob(letter.Body)
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, job.Messages[0].Ref+fmt.Sprint(job.Messages[0].Again, job.Messages[0].Seq))
		}
		if want := []string{"false 1", "r2true 0"}; !slices.Equal(refs, want) {
			t.Errorf("dead letters with %q, want %q", refs, want)
		}
	}))
}

// Each log of a conversation decides for itself.
func TestARepeatInAConversation(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	w.subscribe(domain.ToUser("alice"), "alice", "a")
	w.subscribe(domain.ToUser("bob"), "bob", "b")
	say := func(again bool) domain.Message {
		m, err := domain.NewMessage(w.newID(time.Now()), time.Now(), "alice", domain.Content("1"))
		if err != nil {
			t.Fatal(err)
		}
		m.To, m.Ref, m.Again = "bob", "r", again
		return m
	}
	first := say(false)
	if _, err := w.history.Append(t.Context(), domain.ToUser("alice"), []domain.Message{first}, false); err != nil {
		t.Fatal(err)
	}
	w.enqueue(domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{say(true)}})
	w.work()
	w.wantNumbered("b", domain.ToUser("bob"), "1")
	w.wantGot("a") // the job of the first delivers it
	for _, user := range []string{"alice", "bob"} {
		if got := w.logged(domain.ToUser(user)); !slices.Equal(got, []string{"1"}) {
			t.Errorf("%s's log has %q", user, got)
		}
	}
}

// A conversation has what the log of the recipient has.
func TestARepeatIsInItsConversationOnce(t *testing.T) {
	for name, together := range map[string]bool{"together": true, "one after the other": false} {
		w := newConversingWorld(t, fanout.Options{})
		for _, again := range []bool{false, true} {
			m := domain.Message{
				ID: w.newID(time.Now()), SentAt: time.Now(), Sender: "alice", To: "bob", Content: domain.Content("1"), Ref: "r", Again: again,
			}
			w.enqueue(domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{m}})
			if !together {
				w.work()
			}
		}
		w.work()
		w.wantSaid("alice", "bob", "1")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestAnObserverHearsOfRepeats(t *testing.T) {
	w := newLoggedWorld(t, fanout.Options{})
	heard := w.observed(fanout.Options{})
	first, repeat := w.try("1", "r", false), w.try("1", "r", true)
	w.work()
	if want := [][2]domain.MessageID{{repeat.ID, first.ID}}; !slices.Equal(heard.repeats, want) {
		t.Errorf("heard of %q, want %q", heard.repeats, want)
	}
}
