package blackbox

import (
	"fmt"
	"strings"
	"testing"
)

// loadedPages reads everyone's messages and those of a room from the newest to the oldest.
func loadedPages(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	alice.join("goals")
	bob.join("goals")
	for _, members := range []string{`"limit":3`, `"room":"goals"`} {
		if p := bob.load(members); len(p.Messages) > 0 || p.More || p.Position == "" {
			t.Errorf("%s of an empty log: %+v", members, p)
		}
	}
	const sent = 7
	alice.say(sent, "")
	alice.say(sent, `"room":"goals",`)
	want := bob.take(2 * sent)
	for channel, messages := range want {
		for _, limit := range []int{1, 3, 6, 7, 100} {
			got := bob.loadAll(channel, fmt.Sprintf(`"limit":%d`, limit))
			wantSame(t, fmt.Sprintf("%s in pages of %d", channel, limit), got, messages)
		}
		wantSame(t, channel, bob.loadAll(channel, `"ref":"default"`), messages)
	}
	newest := want["everyone"][sent-1]
	p := bob.load(`"limit":3,"ref":"<r>"`)
	if p.Ref != "<r>" || !p.More || p.Position != at(newest) || len(p.Messages) != 3 || p.Messages[2].ID != newest.ID {
		t.Errorf("the first page: %+v", p)
	}
	oldest := at(want["everyone"][0])
	if p := bob.load(`"before":"` + oldest + `"`); len(p.Messages) > 0 || p.More {
		t.Errorf("before the oldest: %+v", p)
	}
}

func badPages(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	bob.join("goals")
	bob.say(1, `"room":"goals",`)
	for members, code := range map[string]string{
		`"limit":0`:                   "invalid_page",
		`"limit":101`:                 "invalid_page",
		`"limit":-1`:                  "invalid_page",
		`"limit":1.5`:                 "invalid_page",
		`"limit":"x"`:                 "invalid_page",
		`"limit":null`:                "invalid_page",
		`"before":"x"`:                "invalid_position",
		`"before":7`:                  "invalid_position",
		`"before":null`:               "invalid_position",
		`"before":"k3.x"`:             "invalid_position",
		`"room":"a b"`:                "invalid_room",
		`"room":7`:                    "invalid_room",
		`"room":"goals"`:              "not_a_member",
		`"room":"goals","limit":1`:    "not_a_member",
		`"room":"none"`:               "not_a_member",
		`"room":"goals","limit":"x"`:  "invalid_page",
		`"room":"goals","before":"x"`: "invalid_position",
	} {
		alice.send(`{"action":"loadMessages",` + members + `,"ref":"r9"}`)
		f := alice.parsedReply()
		if f.Error == nil || f.Error.Code != code || f.Error.Ref != "r9" || f.Loaded != nil {
			t.Errorf("%s: %s, want %s", members, f.text, code)
		}
	}
}

// largeHistory sends messages as large as they can be, and larger ones.
func largeHistory(t *testing.T, tg *target) {
	const limit = 96 << 10
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	start := bob.resume(nil)["everyone"].Position
	for _, size := range []int{limit + 1, 100 << 10, limit - 1} { // the last one alone, but not with its envelope
		if err := alice.sendFragments(sendTemplate + quoted(size-2) + `,"ref":"large"}`); err != nil {
			t.Fatal(err)
		}
		if f := alice.parsedReply(); f.Error == nil || f.Error.Code != "content_too_large" || f.Error.Ref != "large" {
			t.Errorf("%d bytes: %.300s", size, f.text)
		}
	}
	content := quoted(limit - 1000)
	if err := alice.sendFragments(sendTemplate + content + `}`); err != nil {
		t.Fatal(err)
	}
	alice.say(1, "")
	want := bob.take(2)["everyone"]
	if len(want) != 2 || string(want[0].Content) != content {
		t.Errorf("got %s", outline(want))
	}
	missed, _ := bob.resumeAll(positions{"everyone": start})
	wantSame(t, "resume", missed["everyone"], want)
	wantSame(t, "loadMessages", bob.loadAll("everyone", `"limit":100`), want)
	if p := bob.load(`"before":"` + strings.TrimSuffix(at(want[0]), "1") + `2"`); len(p.Messages) != 1 || string(p.Messages[0].Content) != content {
		t.Errorf("the page of the large message has %d", len(p.Messages))
	}
}
