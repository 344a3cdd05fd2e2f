package blackbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// inGoalsAndChess signs a user in who joins both rooms.
func inGoalsAndChess(t *testing.T, tg *target, user string) *client {
	t.Helper()
	c := signIn(t, tg, token(t, user, nil))
	c.join("goals")
	c.join("chess")
	return c
}

var fourChannels = []string{"everyone", "room:chess", "room:goals", "user"}

// missedMessages has alice come back several times. Her other tab sees what she misses.
func missedMessages(t *testing.T, tg *target) {
	away, tab, bob := inGoalsAndChess(t, tg, "alice"), inGoalsAndChess(t, tg, "alice"), inGoalsAndChess(t, tg, "bob")
	from := positions{}
	for channel, a := range away.resume(nil) {
		from[channel] = a.Position
		if !strings.HasSuffix(a.Position, ".0") || a.Recovered != nil || a.Messages != nil || a.Error != nil {
			t.Errorf("%s is empty: %+v", channel, a)
		}
	}
	wantChannels(t, from)
	for round := range 3 {
		away.ws.CloseNow()
		for i, address := range []string{"", `"to":"alice",`, `"room":"goals",`, `"room":"chess",`} {
			bob.say(2+i+round, address)
		}
		want := tab.take(2 + 3 + 4 + 5 + 4*round)
		away = inGoalsAndChess(t, tg, "alice")
		missed, end := away.resumeAll(from)
		wantChannels(t, end)
		for _, channel := range fourChannels {
			wantSame(t, fmt.Sprintf("round %d, %s", round, channel), missed[channel], want[channel])
		}
		if again, same := away.resumeAll(end); len(slices.Concat(slices.Collect(maps.Values(again))...)) > 0 || !maps.Equal(same, end) {
			t.Errorf("from %s there are %v, up to %s", end, again, same)
		}
		if a := away.resume(nil)["room:goals"]; a.Position != end["room:goals"] || a.Recovered != nil {
			t.Errorf("the newest: %+v, want %s", a, end["room:goals"])
		}
		from = end
	}
}

func wantChannels(t *testing.T, p positions) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(p)); !slices.Equal(got, fourChannels) {
		t.Errorf("the channels are %q, want %q", got, fourChannels)
	}
}

// moreThanAnAnswer has missed more than fits, and a message that fits alone.
func moreThanAnAnswer(t *testing.T, tg *target) {
	away, tab, bob := inGoalsAndChess(t, tg, "alice"), inGoalsAndChess(t, tg, "alice"), inGoalsAndChess(t, tg, "bob")
	from := positions{}
	for channel, a := range away.resume(nil) {
		from[channel] = a.Position
	}
	away.ws.CloseNow()
	const everyone, goals = 24, 12
	for i := range everyone {
		bob.tell(`"ref":"r"`, quoted(3000+i))
		if i < goals {
			bob.tell(`"room":"goals"`, quoted(1000+i))
		}
		if i == goals {
			bob.tellLarge(`"room":"goals"`, quoted(90<<10))
			bob.tell(`"room":"goals"`, quoted(30<<10))
		}
	}
	bob.tell(`"room":"chess"`, `"short"`)
	want := tab.take(everyone + goals + 3)

	away = inGoalsAndChess(t, tg, "alice")
	a := away.resume(from)["everyone"]
	if newest := want["everyone"][everyone-1]; !a.More || a.End != at(newest) || len(a.Messages) == 0 || a.Position == a.End {
		t.Errorf("the first answer ends at %s with %d messages, more %v, up to %s", a.Position, len(a.Messages), a.More, a.End)
	}
	missed, _ := away.resumeAll(from)
	for _, channel := range fourChannels {
		wantSame(t, channel, missed[channel], want[channel])
	}
	for _, members := range []string{`"limit":100`, `"limit":2`} {
		wantSame(t, "pages of everyone", away.loadAll("everyone", members), want["everyone"])
		wantSame(t, "pages of goals", away.loadAll("room:goals", members), want["room:goals"])
	}
}

// sharedAnswer has missed messages that fit an answer in each channel, but not in all.
func sharedAnswer(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	from := positions{"everyone": alice.resume(nil)["everyone"].Position, "room:goals": alice.join("goals")}
	bob.join("goals")
	const each = 7
	for range each {
		bob.tell(`"ref":"r"`, quoted(3000))
		bob.tell(`"room":"goals"`, quoted(3000))
	}
	want := alice.take(2 * each)
	first := alice.resume(from)
	for channel := range from {
		if n := len(first[channel].Messages); n == 0 {
			t.Errorf("%s has no turn", channel)
		}
	}
	missed, _ := alice.resumeAll(from)
	for channel := range from {
		wantSame(t, channel, missed[channel], want[channel])
	}
}

// tellLarge is tell for content that does not fit a frame.
func (c *client) tellLarge(address, content string) {
	c.t.Helper()
	if err := c.sendFragments(`{"action":"sendMessage",` + address + `,"content":` + content + `}`); err != nil {
		c.t.Fatal(err)
	}
	if reply, err := c.rawReply(); err != nil || !strings.Contains(reply, `{"accepted":`) {
		c.t.Fatalf("%d bytes: %s, %v", len(content), reply, err)
	}
}

func historyByteForByte(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	sender, reader := c[0], c[1]
	start := reader.resume(nil)["everyone"].Position
	want := make(map[string]string) // the begin of a message, by its id
	for _, content := range oddContents {
		a := sender.broadcast(content)
		want[a.ID] = `{"content":` + content + `,"id":"` + a.ID + `","seq":`
	}
	reader.take(len(oddContents))
	resumed := reader.resumeRaw(positions{"everyone": start}).text
	reader.send(`{"action":"loadMessages"}`)
	loaded := reader.parsedReply().text
	for _, begin := range want {
		if !strings.Contains(resumed, begin) || !strings.Contains(loaded, begin) {
			t.Errorf("%s… is not in both of\n%s\n%s", begin, resumed, loaded)
		}
	}
}

// refusedChannels asks for channels that one may not read among others.
func refusedChannels(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob")
	alice, bob := c[0], c[1]
	start := alice.resume(nil)["everyone"].Position
	goals := alice.join("goals")
	bob.join("chess")
	bob.say(1, `"room":"chess",`)
	alice.say(1, `"room":"goals",`)
	alice.say(1, "")
	bob.take(2)
	want := alice.take(2)
	chess := at(bob.loadAll("room:chess", `"limit":1`)[0])

	got := alice.resume(positions{"everyone": start, "room:goals": goals, "room:chess": chess, "room:none": chess})
	for channel := range want {
		a := got[channel]
		wantSame(t, channel, numbered(channel, a.Position, a.Messages), want[channel])
	}
	for _, channel := range []string{"room:chess", "room:none"} {
		wantRefused(t, channel, got[channel], "not_a_member")
	}
	if _, has := got["user"]; !has || len(got) != 5 {
		t.Errorf("the answers are %+v", got)
	}
	reader := signIn(t, tg, token(t, "reader", jwt.MapClaims{"scope": "room:goals:read"}))
	reader.join("goals")
	got = reader.resume(positions{"room:goals": goals, "room:chess": chess})
	wantRefused(t, "chess without its scope", got["room:chess"], "forbidden")
	wantSame(t, "reader", numbered("room:goals", got["room:goals"].Position, got["room:goals"].Messages), want["room:goals"])
	bob.ask(`{"action":"leaveRoom","room":"chess"}`, `{"left":`)
	wantRefused(t, "a room that was left", bob.resume(positions{"room:chess": chess})["room:chess"], "not_a_member")
}

func wantRefused(t *testing.T, what string, a answer, code string) {
	t.Helper()
	if a.Error == nil || a.Error.Code != code || a.Error.Message == "" || a.Recovered != nil || a.Position != "" || a.Messages != nil {
		t.Errorf("%s: %+v, want %s", what, a, code)
	}
}

// madeUpPositions names places in a log that it never had, and what is no position.
func madeUpPositions(t *testing.T, tg *target) {
	alice := users(t, tg, "alice")[0]
	empty := alice.resume(nil)["everyone"].Position
	alice.say(2, "")
	newest := at(alice.take(2)["everyone"][1])
	a := alice.resume(positions{"everyone": "madeup.1"})["everyone"]
	if a.Recovered == nil || *a.Recovered || a.Reason != "reset" || a.Position != newest || len(a.Messages) > 0 || a.More {
		t.Errorf("another epoch: %+v, want reset and %s", a, newest)
	}
	many := make(positions)
	for i := range 103 {
		many[fmt.Sprint("room:", i)] = "k3.1"
	}
	for _, bad := range []string{
		`"x"`, `null`, `7`, `[]`, `["k3.1"]`, `{"everyone":"x"}`, `{"everyone":"k3"}`, `{"everyone":"k3."}`, `{"everyone":"k3.-1"}`,
		`{"everyone":"k3.01"}`, `{"everyone":"k3.0"}`, `{"everyone":"K3.1"}`, `{"everyone":""}`, `{"everyone":null}`, `{"everyone":7}`,
		`{"everyone":"k3.9007199254740992"}`, `{"user:alice":"k3.1"}`, `{"room:":"k3.1"}`, `{"room:a b":"k3.1"}`, `{"all":"k3.1"}`, many.String(),
	} {
		alice.ask(`{"action":"resume","positions":`+bad+`,"ref":"r7"}`, `{"error":{"code":"invalid_position",`)
	}
	alice.ask(`{"action":"resume","positions":{"everyone":"`+empty+`"},"ref":"r8"}`, `"recovered":true`)
}
