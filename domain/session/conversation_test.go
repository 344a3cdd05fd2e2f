package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// conversations lets a test act just before and after a read.
type conversations struct {
	ports.Conversations
	hooks
}

func (c *conversations) Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) (
	messages []domain.Message, more bool, err error) {
	err = c.around("Before", func() error {
		messages, more, err = c.Conversations.Before(ctx, of, id, limit, size)
		return err
	})
	return messages, more, err
}

var (
	bob   = domain.Principal{User: "bob"}
	carol = domain.Principal{User: "carol"}
)

// converse has alice and bob write to each other in turn, as many bytes as are named.
func (w *world) converse(sizes ...int) (ids []domain.MessageID) {
	w.Helper()
	for i, size := range sizes {
		w.said++
		m := domain.Message{
			ID: domain.MessageID(fmt.Sprintf("01K4ZQ%020d", w.said)), SentAt: time.Now(), Sender: "alice", To: "bob",
			Content: domain.Content(strings.Repeat("1", size)),
		}
		if i%2 == 1 {
			m.Sender, m.To = m.To, m.Sender
		}
		if err := w.conversations.Put(w.Context(), []domain.Message{m}); err != nil {
			w.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	return ids
}

func idsOf(messages []domain.Message) (ids []domain.MessageID) {
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestAConversationPageByPage(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.connect("b", bob)
	ids := w.converse(1, 1, 1, 1, 1)
	for _, test := range []struct {
		before domain.MessageID
		limit  int
		want   []domain.MessageID
		more   bool
	}{
		{"", 2, ids[3:], true},
		{"", 5, ids, false},
		{ids[3], 2, ids[1:3], true},
		{ids[1], 100, ids[:1], false},
		{ids[0], 100, nil, false},
	} {
		for id, who := range map[domain.ConnectionID]domain.Principal{"a": alice, "b": bob} {
			other := map[string]string{"alice": "bob", "bob": "alice"}[who.User]
			page, err := w.LoadConversation(t.Context(), id, who, other, test.before, test.limit)
			if got := idsOf(page.Messages); err != nil || fmt.Sprint(got) != fmt.Sprint(test.want) || page.More != test.more || page.Position != (domain.Position{}) {
				t.Errorf("%s, %d before %q: %q, more: %v, %v", who.User, test.limit, test.before, got, page.More, err)
			}
		}
	}
}

// Whoever asks reads their own conversations alone, whatever they name.
func TestAThirdUserSeesNothingOfAConversation(t *testing.T) {
	w := newWorld(t)
	w.connect("c", carol)
	w.converse(1, 1)
	for _, with := range []string{"alice", "bob", "carol", "alice,bob", "5:alice,bob"} {
		if page, err := w.LoadConversation(t.Context(), "c", carol, with, "", 100); err != nil || len(page.Messages) > 0 || page.More {
			t.Errorf("with %s: %+v, %v", with, page, err)
		}
	}
}

// The newest messages that fit come, and at least one.
func TestAConversationOfLargeMessages(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	ids := w.converse(90<<10, 20<<10, 10<<10, 1, 40<<10)
	before := domain.MessageID("")
	for i, want := range [][]domain.MessageID{ids[4:], ids[1:4], ids[:1]} {
		page, err := w.LoadConversation(t.Context(), "a", alice, "bob", before, 100)
		if got := idsOf(page.Messages); err != nil || fmt.Sprint(got) != fmt.Sprint(want) || page.More != (i < 2) {
			t.Fatalf("page %d: %q, more: %v, %v; want %q", i, got, page.More, err, want)
		}
		before = page.Messages[0].ID
	}
}

// What is said about each message counts too.
func TestAConversationOfManyMessages(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	sizes := make([]int, 100)
	for i := range sizes {
		sizes[i] = 300
	}
	ids := w.converse(sizes...)
	page, err := w.LoadConversation(t.Context(), "a", alice, "bob", "", 100)
	size := 0
	for _, m := range page.Messages {
		size += len(m.AppendJSON(nil)) + 1
	}
	if n := len(page.Messages); err != nil || !page.More || size > 31<<10 || size < 30<<10 || page.Messages[n-1].ID != ids[99] {
		t.Errorf("%d messages of %d bytes, more: %v, %v", n, size, page.More, err)
	}
}

func TestWhatLoadConversationRefuses(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	w.converse(1)
	for name, test := range map[string]struct {
		id     domain.ConnectionID
		who    domain.Principal
		with   string
		before domain.MessageID
		limit  int
		want   domain.Code
	}{
		"no name":            {"a", alice, "", "", 1, domain.InvalidRecipient},
		"a bad name":         {"a", alice, "\uFFFD", "", 1, domain.InvalidRecipient},
		"no id":              {"a", alice, "bob", "k3.1", 1, domain.InvalidPosition},
		"none":               {"a", alice, "bob", "", 0, domain.InvalidPage},
		"too many":           {"a", alice, "bob", "", 101, domain.InvalidPage},
		"no user":            {"n", domain.Principal{}, "bob", "", 1, domain.Unauthenticated},
		"no user, with none": {"n", domain.Principal{}, "", "", 1, domain.InvalidRecipient},
		"no row":             {"never", alice, "bob", "", 1, domain.Unauthenticated},
		"another's row":      {"a", bob, "alice", "", 1, domain.Unauthenticated},
	} {
		page, err := w.LoadConversation(t.Context(), test.id, test.who, test.with, test.before, test.limit)
		if wantCode(t, err, test.want); t.Failed() || len(page.Messages) > 0 {
			t.Fatalf("%s: %+v, %v", name, page, err)
		}
	}
}

func TestConversationsThatFailOrAreNotKept(t *testing.T) {
	w := newWorld(t)
	w.connect("a", alice)
	down := func() error { return errors.New("down") }
	w.conversations.then("Before", down)
	_, err := w.LoadConversation(t.Context(), "a", alice, "bob", "", 1)
	wantCode(t, err, domain.Unavailable)
	w.connections.first("Get", down)
	_, err = w.LoadConversation(t.Context(), "a", alice, "bob", "", 1)
	wantCode(t, err, domain.Unavailable)
	w.History.Conversations = nil
	for limit, want := range map[int]domain.Code{0: domain.InvalidPage, 1: domain.NoHistory} {
		_, err = w.LoadConversation(t.Context(), "a", alice, "bob", "", limit)
		wantCode(t, err, want)
	}
}
