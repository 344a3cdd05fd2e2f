package blackbox

import (
	"fmt"
	"strings"
	"testing"
)

// sendAgain sends a message a second time, as one whose reply was lost.
func (c *client) sendAgain(address, content, ref string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"action":"sendMessage",%s"content":%s,"ref":%q,"again":true}`, address, content, ref))
	if f, err := c.reply(); err != nil || f.Accepted == nil || f.Accepted.ID == "" || f.Accepted.Ref != ref {
		c.t.Fatalf("again %s: %+v, %v", content, f, err)
	}
}

// sendOnce sends a message for the first time, and loses the connection.
func (c *client) sendOnce(address, content, ref string) {
	c.t.Helper()
	c.ask(fmt.Sprintf(`{"action":"sendMessage",%s"content":%s,"ref":%q}`, address, content, ref), `{"accepted":`)
	c.ws.CloseNow()
}

// sentAgain has alice lose the replies to what she sends, or what she sends, and send it
// again from another connection.
func sentAgain(t *testing.T, tg *target) {
	reader := users(t, tg, "bob")[0]
	reader.join("goals")
	addresses := map[string]string{"everyone": "", "room:goals": `"room":"goals",`, "user": `"to":"bob",`}
	join := func() *client {
		alice := users(t, tg, "alice")[0]
		alice.join("goals")
		return alice
	}
	var want int
	for channel, address := range addresses {
		join().sendOnce(address, `"accepted"`, "r1 "+channel)
		alice := join()
		alice.sendAgain(address, `"accepted"`, "r1 "+channel)
		alice.sendAgain(address, `"accepted"`, "r1 "+channel)
		alice.sendAgain(address, `"never sent"`, "r2 "+channel)
		alice.sendAgain(address, `"never sent"`, "r2 "+channel)
		alice.say(1, address)
		want += 3
	}
	for channel, got := range reader.take(want) {
		wantConsecutive(t, channel, got, 1)
		if text := said(got); text != fmt.Sprintf(`"accepted" "never sent" "0 %s"`, t.Name()) {
			t.Errorf("%s: %s", channel, text)
		}
	}
	for _, channel := range []string{"everyone", "room:goals"} {
		if log := reader.loadAll(channel, `"limit":100`); len(log) != 3 {
			t.Errorf("the log of %s has %s", channel, said(log))
		}
	}
}

func said(messages []message) string {
	var all []string
	for _, m := range messages {
		all = append(all, string(m.Content))
	}
	return strings.Join(all, " ")
}

// sentAgainByOthers has messages with one ref that are not the same.
func sentAgainByOthers(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob", "carol")
	alice, bob, carol := c[0], c[1], c[2]
	alice.sendAgain("", `"alice"`, "r")
	bob.sendAgain("", `"bob"`, "r")
	alice.sendAgain(`"to":"carol",`, `"to carol"`, "r")
	alice.sendAgain(`"to":"bob",`, `"to bob"`, "r")
	for range 2 { // older clients count from 1 on each connection
		carol.ask(`{"action":"sendMessage","content":"carol","ref":"1"}`, `{"accepted":`)
	}
	bob.say(1, "")
	got := carol.take(6)
	if len(got["everyone"]) != 5 || said(got["user"]) != `"to carol"` {
		t.Errorf("carol got %s, and %s", said(got["everyone"]), said(got["user"]))
	}
	if got := alice.take(7)["user"]; said(got) != `"to carol" "to bob"` {
		t.Errorf("alice got %s", said(got))
	}
}

// refsStayPrivate has a client look for the refs of another in all that it gets.
func refsStayPrivate(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	alice.ask(`{"action":"sendMessage","content":1,"ref":"secret 1"}`, `{"accepted":`)
	alice.ask(`{"action":"sendMessage","content":1,"ref":"secret 2","again":true}`, `{"accepted":`)
	alice.ask(`{"action":"sendMessage","to":"bob","content":2,"ref":"secret","again":true}`, `{"accepted":`)
	private := func(text string, err error) string {
		if err != nil || strings.Contains(text, "secret") || strings.Contains(text, "again") {
			t.Fatalf("got %s, %v", text, err)
		}
		return text
	}
	for seen := 0; seen < 3; {
		seen += strings.Count(private(bob.read()), `"content":`)
	}
	bob.send(`{"action":"loadMessages"}`)
	private(bob.rawReply())
	position := bob.resume(nil)["everyone"].Position
	epoch, _, _ := strings.Cut(position, ".")
	bob.send(fmt.Sprintf(`{"action":"resume","positions":{"everyone":"%s.1"}}`, epoch))
	if text := private(bob.rawReply()); !strings.Contains(text, `"content":1`) {
		t.Errorf("got %s", text)
	}
}

// badRepeats are refused, and nobody gets them.
func badRepeats(t *testing.T, tg *target) {
	alice := users(t, tg, "alice")[0]
	for _, members := range []string{
		`"again":true`, `"again":true,"ref":""`, `"again":true,"ref":"\ud800"`, `"again":"true","ref":"r"`, `"again":1,"ref":"r"`, `"again":null,"ref":"r"`,
	} {
		alice.ask(`{"action":"sendMessage","content":"bad",`+members+`}`, `{"error":{"code":"invalid_again",`)
	}
	alice.ask(`{"action":"sendMessage","content":"bad","again":true,"ref":7}`, `"code":"invalid_ref"`)
	alice.ask(`{"action":"sendMessage","content":"bad","Again":true,"ref":"r"}`, `"code":"invalid_recipient"`)
	alice.say(1, "")
	if got := alice.take(1)["everyone"]; !strings.HasPrefix(said(got), `"0 `) {
		t.Errorf("got %s", said(got))
	}
}
