package fanout_test

import (
	"context"
	"errors"
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

// faultyConversations are the embedded ones, with what a test has happen around the nth
// put.
type faultyConversations struct {
	ports.Conversations
	mu            sync.Mutex
	puts          [][]domain.MessageID // of each call
	before, after func(n int) error
}

func (c *faultyConversations) Put(ctx context.Context, messages []domain.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []domain.MessageID
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	c.puts = append(c.puts, ids)
	if c.before != nil {
		if err := c.before(len(c.puts)); err != nil {
			return err
		}
	}
	err := c.Conversations.Put(ctx, messages)
	if err == nil && c.after != nil {
		err = c.after(len(c.puts))
	}
	return err
}

// newConversingWorld is newLoggedWorld with conversations, in which alice, bob and carol
// have a connection of that name.
func newConversingWorld(t *testing.T, options fanout.Options) *world {
	w := newLoggedWorld(t, options)
	w.conversed = &faultyConversations{Conversations: memlog.New(memlog.Options{}).Conversations()}
	w.worker = w.newWorker(w.history)
	for _, user := range []string{"alice", "bob", "carol"} {
		w.subscribe(domain.ToUser(user), user, domain.ConnectionID(user))
	}
	return w
}

// write puts a message from one user to another on the queue.
func (w *world) write(from, to, content string) domain.Message {
	w.t.Helper()
	m, err := domain.NewMessage(w.newID(time.Now()), time.Now(), from, domain.Content(content))
	if err != nil {
		w.t.Fatal(err)
	}
	m.To = to
	w.enqueue(domain.Job{To: domain.ToUser(to), Echo: true, Messages: []domain.Message{m}})
	return m
}

func (w *world) enqueue(job domain.Job) {
	w.t.Helper()
	if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: job.Encode()}); err != nil {
		w.t.Fatal(err)
	}
}

// said returns the contents of the messages that two users have written.
func (w *world) said(one, other string) (contents []string) {
	w.t.Helper()
	messages, _, err := w.conversed.Before(context.Background(), domain.ConversationOf(one, other), "", 1000, 1<<30)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range messages {
		contents = append(contents, string(m.Content))
	}
	return contents
}

func (w *world) wantSaid(one, other string, want ...string) {
	w.t.Helper()
	if got := w.said(one, other); !slices.Equal(got, want) {
		w.t.Errorf("%s and %s have written %q, want %q", one, other, got, want)
	}
}

func (w *world) wantPuts(n int) {
	w.t.Helper()
	if got := len(w.conversed.puts); got != n {
		w.t.Errorf("%d puts, want %d: %q", got, n, w.conversed.puts)
	}
}

// Messages are in their conversation before their recipient gets them, and in no other.
func TestMessagesAreInTheirConversation(t *testing.T) {
	w := newConversingWorld(t, fanout.Options{})
	w.poster.answer["bob"] = func(int) error {
		if got := w.said("bob", "alice"); len(got) == 0 {
			t.Error("posted before it was put")
		}
		return nil
	}
	w.write("alice", "bob", "1")
	w.work()
	w.write("bob", "alice", "2")
	w.write("carol", "bob", "3")
	w.write("alice", "bob", "4")
	w.work()
	w.send("5")
	w.enqueue(domain.Job{To: domain.ToRoom("goals"), Messages: []domain.Message{{ID: w.newID(time.Now()), SentAt: time.Now(), Sender: "bob", Content: domain.Content("6")}}})
	w.work()
	w.wantSaid("alice", "bob", "1", "2", "4")
	w.wantSaid("carol", "bob", "3")
	w.wantSaid("alice", "carol")
	w.wantGot("bob", "1", "2", "3", "4", "5")
	w.wantPuts(3) // of what bob got first, and of what bob and alice got together
}

// One to oneself is one job, and one put.
func TestANoteToOneself(t *testing.T) {
	w := newConversingWorld(t, fanout.Options{})
	w.write("alice", "alice", "1")
	w.work()
	w.wantSaid("alice", "alice", "1")
	w.wantNumbered("alice", domain.ToUser("alice"), "1")
	w.wantPuts(1)
}

// Nobody gets a message whose put has failed until it has not: then it has the number of
// before, and nothing is repeated for its sender.
func TestConversationsThatFail(t *testing.T) {
	for name, fail := range map[string]func(w *world, what func(int) error){
		"that refuse":                 func(w *world, what func(int) error) { w.conversed.before = what },
		"an answer that is lost":      func(w *world, what func(int) error) { w.conversed.after = what },
		"an append whose answer lost": func(w *world, what func(int) error) { w.conversed.before = what; w.history.after = what },
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newConversingWorld(t, fanout.Options{})
			fail(w, until(4, errors.New("throttled")))
			w.write("alice", "bob", "1")
			w.write("alice", "bob", "2")
			w.handle(t.Context(), w.receive())
			w.wantGot("bob")
			w.work()
			w.wantSaid("alice", "bob", "1", "2")
			w.wantNumbered("bob", domain.ToUser("bob"), "1", "2")
			w.wantNumbered("alice", domain.ToUser("alice"), "1", "2")
			if got := w.logged(domain.ToUser("bob")); !slices.Equal(got, []string{"1", "2"}) {
				t.Errorf("bob's log has %q", got)
			}
			if letters := w.deadLetters(); len(letters) > 0 || !strings.Contains(w.log.String(), `"not logged"`) {
				t.Errorf("%d dead letters, log %s", len(letters), w.log)
			}
		}))
	}
}

// A put that never succeeds ends in the dead-letter queue, and a redriven letter is put.
func TestConversationsThatAreDown(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newConversingWorld(t, fanout.Options{MaxAttempts: 3})
		w.conversed.before = func(int) error { return errors.New("no table") }
		w.write("alice", "bob", "1")
		w.work()
		w.wantGot("bob")
		w.wantGot("alice", "1")
		letters := w.deadLetters()
		if len(letters) != 1 || !strings.Contains(letters[0].Body, "no table") {
			t.Fatalf("dead letters %+v", letters)
		}
		w.conversed.before = nil
		w.handle(t.Context(), letters)
		w.wantSaid("alice", "bob", "1")
		w.wantNumbered("bob", domain.ToUser("bob"), "1")
		w.wantGot("alice", "1")
	}))
}

// Of several envelopes those that were put go on, and only the others are retried.
func TestConversationsThatTakeOneEnvelopeOfTwo(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newConversingWorld(t, fanout.Options{})
		w.conversed.before = func(n int) error {
			if n == 2 {
				return errors.New("throttled")
			}
			return nil
		}
		large := func(c string) string { return `"` + strings.Repeat(c, domain.MaxLogged/2) + `"` }
		a := w.write("alice", "bob", large("a"))
		b := w.write("carol", "bob", large("b"))
		w.handle(t.Context(), w.receive())
		w.wantGot("bob", large("a"))
		w.work()
		w.wantGot("bob", large("a"), large("b"))
		w.wantSaid("alice", "bob", large("a"))
		w.wantSaid("carol", "bob", large("b"))
		if want := [][]domain.MessageID{{a.ID}, {b.ID}, {b.ID}}; !slices.EqualFunc(w.conversed.puts, want, slices.Equal) {
			t.Errorf("puts of %q, want %q", w.conversed.puts, want)
		}
	}))
}

// What is left over of a job that has numbers is not put again.
func TestNumberedMessagesAreNotPutAgain(t *testing.T) {
	t.Run("", inBubble(func(t *testing.T) {
		w := newConversingWorld(t, fanout.Options{Repeats: -1})
		w.poster.answer["bob"] = until(3, errors.New("503"))
		w.write("alice", "bob", "1")
		w.work()
		w.wantNumbered("bob", domain.ToUser("bob"), "1")
		w.wantPuts(1)
	}))
}
