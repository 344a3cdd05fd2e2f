package blackbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// loadWith loads a conversation page by page, with members such as `"limit":3`, and returns
// its messages, oldest first.
func (c *client) loadWith(user, members string) (all []message) {
	c.t.Helper()
	for before := ""; ; {
		p := c.load(fmt.Sprintf(`"with":%q,%s%s`, user, members, before))
		n := len(p.Messages)
		if n > 0 && p.Messages[n-1].ID != p.Position || n == 0 && p.Position != "" {
			c.t.Errorf("with %s: %s, and the position %q", user, outline(p.Messages), p.Position)
		}
		all = slices.Concat(p.Messages, all)
		if !p.More {
			return all
		}
		if n == 0 {
			c.t.Fatalf("with %s: there is more, but no message", user)
		}
		before = fmt.Sprintf(`,"before":%q`, p.Messages[0].ID)
	}
}

// wantWritten fails unless two users have written to each other what one of them got, in
// the order of the ids, and without numbers.
func wantWritten(t *testing.T, what string, got, want []message) {
	t.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b message) int { return strings.Compare(a.ID, b.ID) })
	equal := func(a, b message) bool {
		return a.Seq == 0 && a.ID == b.ID && a.Sender == b.Sender && a.To == b.To && a.SentAt.Equal(b.SentAt) && string(a.Content) == string(b.Content)
	}
	if !slices.EqualFunc(got, want, equal) {
		t.Errorf("%s: got %s, want %s", what, outline(got), outline(want))
	}
}

// conversation has two users write to each other. A third one, and other conversations of
// the two, see nothing of it.
func conversation(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob", "eve")
	alice, bob, eve := c[0], c[1], c[2]
	for _, user := range []string{"bob", "alice", "nobody at all"} {
		alice.ask(fmt.Sprintf(`{"action":"loadMessages","with":%q,"ref":"r"}`, user), `{"loaded":{"messages":[],"ref":"r"}}`)
	}
	alice.say(4, `"to":"bob",`)
	bob.say(3, `"to":"alice",`)
	eve.say(2, `"to":"bob",`)
	alice.tell(`"to":"alice"`, `"a note"`)
	alice.tell(`"to":"bob"`, `{ "b":1,  "a":"<&\u2028 \/" }`)
	ofAlice := alice.take(9)["user"]
	bob.take(10)
	eve.take(2)
	written := slices.DeleteFunc(slices.Clone(ofAlice), func(m message) bool { return m.Sender == m.To })
	if len(written) != 8 {
		t.Fatalf("alice got %s", outline(ofAlice))
	}
	for _, limit := range []int{1, 3, 7, 8, 9, 100} {
		members := fmt.Sprintf(`"limit":%d`, limit)
		wantWritten(t, "alice with bob, "+members, alice.loadWith("bob", members), written)
		wantWritten(t, "bob with alice, "+members, bob.loadWith("alice", members), written)
	}
	wantWritten(t, "without a limit", bob.loadWith("alice", `"ref":"r"`), written)
	note := slices.DeleteFunc(slices.Clone(ofAlice), func(m message) bool { return m.Sender != m.To })
	wantWritten(t, "alice's own", alice.loadWith("alice", `"limit":1`), note)
	if got := bob.loadWith("eve", `"limit":1`); len(got) != 2 || got[0].Sender != "eve" {
		t.Errorf("bob with eve: %s", outline(got))
	}
	for _, user := range []string{"alice", "eve", "alice,bob", "5:alice,bob"} {
		if got := eve.loadWith(user, `"limit":9`); len(got) > 0 {
			t.Errorf("eve with %s: %s", user, outline(got))
		}
	}
	p := alice.load(`"with":"bob","limit":2,"ref":"<r>"`)
	if p.Ref != "<r>" || !p.More || len(p.Messages) != 2 || p.Position != p.Messages[1].ID {
		t.Errorf("the first page: %+v", p)
	}
}

// largeConversation has messages that share no page.
func largeConversation(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	for _, size := range []int{20_000, 90_000, 20_000, 10_000} {
		if err := alice.sendFragments(`{"action":"sendMessage","to":"bob","content":` + quoted(size) + `}`); err != nil {
			t.Fatal(err)
		}
		if f := alice.parsedReply(); f.Accepted == nil {
			t.Fatalf("%.300s", f.text)
		}
	}
	want := bob.take(4)["user"]
	wantWritten(t, "pages", bob.loadWith("alice", `"limit":100`), want)
	if p := bob.load(`"with":"alice"`); len(p.Messages) != 2 || !p.More {
		t.Errorf("the first page is %s, more: %v", outline(p.Messages), p.More)
	}
}

func badConversations(t *testing.T, tg *target) {
	alice := users(t, tg, "alice")[0]
	for members, code := range map[string]string{
		`"with":""`:                         "invalid_recipient",
		`"with":null`:                       "invalid_recipient",
		`"with":7`:                          "invalid_recipient",
		`"with":"\ud800"`:                   "invalid_recipient",
		`"with":"bob","room":"goals"`:       "invalid_recipient",
		`"with":"bob","room":null`:          "invalid_recipient",
		`"with":"bob","limit":0`:            "invalid_page",
		`"with":"bob","limit":101`:          "invalid_page",
		`"with":"bob","limit":"x"`:          "invalid_page",
		`"with":"bob","before":""`:          "invalid_position",
		`"with":"bob","before":null`:        "invalid_position",
		`"with":"bob","before":"k3.41"`:     "invalid_position",
		`"with":"` + nameOf(257) + `"`:      "invalid_recipient",
		`"before":"01J00000000000000000AB"`: "invalid_position",
	} {
		alice.send(`{"action":"loadMessages",` + members + `,"ref":"r9"}`)
		f := alice.parsedReply()
		if f.Error == nil || f.Error.Code != code || f.Error.Ref != "r9" || f.Loaded != nil {
			t.Errorf("%.60s: %s, want %s", members, f.text, code)
		}
	}
	longest := users(t, tg, nameOf(256))[0]
	longest.say(1, `"to":"alice",`)
	alice.take(1)
	if got := alice.loadWith(nameOf(256), `"limit":9`); len(got) != 1 {
		t.Errorf("with the longest name: %s", outline(got))
	}
}

// nameOf returns a user's name of n bytes.
func nameOf(n int) string { return strings.Repeat("x", n) }
