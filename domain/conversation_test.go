package domain_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

func TestAConversationIsOfTwoInAnyOrder(t *testing.T) {
	m := domain.Message{Sender: "bob", To: "alice"}
	c := domain.ConversationOf("alice", "bob")
	if c != m.Conversation() || c != domain.ConversationOf("bob", "alice") || !c.Valid() || c.String() != "5:alice,bob" {
		t.Errorf("%q and %q", c, m.Conversation())
	}
	for _, other := range []domain.Conversation{domain.ConversationOf("alice", "alice"), domain.ConversationOf("alice", "bo"), {}} {
		if other == c {
			t.Errorf("%q is that of alice and bob", other)
		}
	}
	for _, m := range []domain.Message{{}, {Sender: "alice"}, {To: "alice"}, {Sender: "alice", To: "\uFFFD"}} {
		if c := m.Conversation(); c.Valid() {
			t.Errorf("%+v is in the conversation %q", m, c)
		}
	}
}

// Two conversations never have the same text: that would show one to the users of the other.
func TestTheTextOfAConversationIsItsOwn(t *testing.T) {
	name := rapid.StringMatching(`[0-3,:a\x00]{1,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a := domain.ConversationOf(name.Draw(t, "a"), name.Draw(t, "b"))
		b := domain.ConversationOf(name.Draw(t, "c"), name.Draw(t, "d"))
		if (a == b) != (a.String() == b.String()) {
			t.Errorf("%+v and %+v", a, b)
		}
	})
	longest := strings.Repeat("x", domain.MaxRecipient)
	if n := len(domain.ConversationOf(longest, longest).String()); n != 2*domain.MaxRecipient+5 {
		t.Errorf("the longest has %d bytes", n)
	}
}
