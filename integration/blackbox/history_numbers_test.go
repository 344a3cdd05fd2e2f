package blackbox

import (
	"fmt"
	"testing"
)

// say sends n messages with what addresses them, such as `"to":"bob",`, each once the one
// before is accepted.
func (c *client) say(n int, address string) {
	c.t.Helper()
	for i := range n {
		content := fmt.Sprintf(`"%d %s"`, i, c.t.Name())
		c.ask(`{"action":"sendMessage",`+address+`"content":`+content+`}`, `{"accepted":`)
	}
}

// numbers has clients get the same numbers, by which one sees that none is missing.
func numbers(t *testing.T, tg *target) {
	all := users(t, tg, "alice", "alice", "bob", "carol")
	const each = 6
	for _, c := range all {
		c.join("goals")
	}
	for _, c := range all[:3] {
		c.say(each, "")
		c.say(each, `"room":"goals",`)
	}
	first := all[0].take(3 * 2 * each)
	for _, channel := range []string{"everyone", "room:goals"} {
		if len(first[channel]) != 3*each {
			t.Errorf("%d messages in %s", len(first[channel]), channel)
		}
		wantConsecutive(t, channel, first[channel], 1)
	}
	for i, c := range all[1:] {
		got := c.take(3 * 2 * each)
		for channel := range first {
			wantSame(t, fmt.Sprintf("client %d, %s", i+1, channel), got[channel], first[channel])
		}
	}
}

// numbersOfUsers has a message between two users in the channel of each, under another
// number.
func numbersOfUsers(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "alice", "bob", "eve")
	a1, a2, bob, eve := c[0], c[1], c[2], c[3]
	eve.say(1, `"to":"alice",`)
	a1.say(3, `"to":"alice",`)
	a1.say(2, `"to":"bob",`)
	bob.say(2, `"to":"alice",`)
	const between, ofAlice = 4, 8

	got := a1.take(ofAlice)["user"]
	wantConsecutive(t, "alice", got, 1)
	wantSame(t, "alice's other tab", a2.take(ofAlice)["user"], got)
	ofBob := bob.take(between)["user"]
	wantConsecutive(t, "bob", ofBob, 1)
	ids := make(map[string]message)
	for _, m := range got {
		ids[m.ID] = m
	}
	for _, m := range ofBob {
		twin := ids[m.ID]
		if twin.Seq != m.Seq+4 || string(twin.Content) != string(m.Content) || twin.Sender != m.Sender {
			t.Errorf("bob has %s as number %d, alice %s as number %d", m.Content, m.Seq, twin.Content, twin.Seq)
		}
	}
	wantConsecutive(t, "eve", eve.take(1)["user"], 1)
}

// roomPosition has a client begin where it joins.
func roomPosition(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob", "carol")
	alice := c[0]
	empty := alice.join("goals")
	alice.say(1, `"room":"goals",`)
	first := alice.take(1)["room:goals"]
	wantConsecutive(t, "the first", first, 1)
	for i, later := range c[1:] {
		position := later.join("goals")
		if want := fmt.Sprint(first[0].epoch, ".", i+1); position != want {
			t.Errorf("joined at %s, want %s", position, want)
		}
		alice.say(1, `"room":"goals",`)
		wantConsecutive(t, "after joining", later.take(1)["room:goals"], int64(i)+2)
		missed, _ := later.resumeAll(positions{"room:goals": position})
		wantConsecutive(t, "from there on", missed["room:goals"], int64(i)+2)
	}
	missed, _ := alice.resumeAll(positions{"room:goals": empty})
	wantConsecutive(t, "from the start", missed["room:goals"], 1)
	if len(missed["room:goals"]) != len(c) {
		t.Errorf("from the start there are %s", outline(missed["room:goals"]))
	}
}
