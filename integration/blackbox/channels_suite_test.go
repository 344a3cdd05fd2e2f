package blackbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/integration/environments/testenv"
)

// ask sends a frame and checks that the reply contains a text.
func (c *client) ask(frame, want string) {
	c.t.Helper()
	c.send(frame)
	if reply, err := c.rawReply(); err != nil || !strings.Contains(reply, want) {
		c.t.Fatalf("%s: %s, %v; want %s", frame, reply, err, want)
	}
}

// tell sends content with more members, such as `"room":"goals"`, and returns once it is
// accepted.
func (c *client) tell(address, content string) {
	c.t.Helper()
	c.ask(`{"action":"sendMessage",`+address+`,"content":`+content+`}`, `{"accepted":`)
}

// gets checks that the next new message has these contents, sender and channel.
func (c *client) gets(content, sender, channel string) {
	c.t.Helper()
	for {
		m, err := c.message()
		if err != nil {
			c.t.Fatalf("want %s: %v", content, err)
		}
		if c.seen[m.ID] {
			continue // on AWS a message may arrive twice
		}
		if c.seen == nil {
			c.seen = map[string]bool{}
		}
		c.seen[m.ID] = true
		if string(m.Content) != content || m.Sender != sender || m.channel != channel {
			c.t.Errorf("got %s from %q in %q, want %s from %q in %q", m.Content, m.Sender, m.channel, content, sender, channel)
		}
		return
	}
}

// users signs in one client for each name.
func users(t *testing.T, tg *target, names ...string) (all []*client) {
	t.Helper()
	for _, name := range names {
		all = append(all, signIn(t, tg, token(t, name, nil)))
	}
	return all
}

// oneToOne has alice in two tabs. After each private message, a broadcast shows who got
// none.
func oneToOne(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "alice", "bob", "eve")
	a1, a2, bob, eve := c[0], c[1], c[2], c[3]
	a1.tell(`"to":"bob"`, `"hi bob"`)
	for _, one := range []*client{a1, a2, bob} {
		one.gets(`"hi bob"`, "alice", "user")
	}
	bob.tell(`"to":"alice"`, `"hi alice"`)
	for _, one := range []*client{a1, a2, bob} {
		one.gets(`"hi alice"`, "bob", "user")
	}
	a1.tell(`"to":"nobody at all"`, `"is anyone there?"`)
	a1.tell(`"to":"alice"`, `"a note"`)
	for _, one := range []*client{a1, a2} {
		contents := map[string]bool{}
		for range 2 { // their order is best effort on AWS
			m, err := one.message()
			if err != nil {
				t.Fatal(err)
			}
			contents[string(m.Content)] = true
		}
		if !contents[`"a note"`] || !contents[`"is anyone there?"`] {
			t.Errorf("got %v", contents)
		}
	}
	a1.broadcast(`"for all"`)
	eve.gets(`"for all"`, "alice", tg.everyone())
	bob.gets(`"for all"`, "alice", tg.everyone())
	for _, bad := range []string{`"to":""`, `"to":7`, `"to":"bob","room":"goals"`, `"To":"bob"`, `"userId":"bob"`, `"to":"bob","cc":"eve"`} {
		a1.ask(`{"action":"sendMessage",`+bad+`,"content":1}`, `"code":"invalid_recipient"`)
	}
}

func inRooms(t *testing.T, tg *target) {
	c := users(t, tg, "alice", "bob", "eve")
	alice, bob, eve := c[0], c[1], c[2]
	alice.joins(tg, "goals")
	bob.joins(tg, "goals")
	bob.joins(tg, "chess")
	alice.tell(`"room":"goals"`, `"goal!"`)
	alice.gets(`"goal!"`, "alice", "room:goals")
	bob.gets(`"goal!"`, "alice", "room:goals")

	eve.ask(`{"action":"sendMessage","room":"goals","content":1}`, `"code":"not_a_member"`)
	eve.ask(`{"action":"presence","room":"goals"}`, `"code":"not_a_member"`)
	alice.ask(`{"action":"sendMessage","room":"chess","content":1}`, `"code":"not_a_member"`)
	alice.ask(`{"action":"joinRoom","room":"a b"}`, `"code":"invalid_room"`)

	bob.ask(`{"action":"leaveRoom","room":"goals"}`, `{"left":{"room":"goals"}}`)
	alice.tell(`"room":"goals"`, `"missed"`)
	alice.gets(`"missed"`, "alice", "room:goals")
	bob.tell(`"room":"chess"`, `"mate"`)
	bob.gets(`"mate"`, "bob", "room:chess")
	alice.broadcast(`"for all"`)
	eve.gets(`"for all"`, "alice", tg.everyone())
}

// joins joins a room, and checks the reply.
func (c *client) joins(tg *target, room string) {
	c.t.Helper()
	c.send(`{"action":"joinRoom","room":"` + room + `","ref":"r1"}`)
	position := `"position":"[0-9a-z]+\.[0-9]+",`
	if tg.keepsNothing {
		position = ""
	}
	want := regexp.MustCompile(`^{"joined":{"room":"` + room + `",` + position + `"ref":"r1"}}$`)
	if reply, err := c.rawReply(); err != nil || !want.MatchString(reply) {
		c.t.Errorf("got %s, %v; want %s", reply, err, want)
	}
}

func tooManyRooms(t *testing.T, tg *target) {
	alice := signIn(t, tg, token(t, "alice", nil))
	for _, room := range []string{"1", "2", "2"} {
		alice.ask(`{"action":"joinRoom","room":"`+room+`"}`, `{"joined":`)
	}
	alice.ask(`{"action":"joinRoom","room":"3"}`, `"code":"too_many_rooms"`)
	alice.ask(`{"action":"leaveRoom","room":"1"}`, `{"left":`)
	alice.ask(`{"action":"joinRoom","room":"3"}`, `{"joined":`)
}

func presentUsers(t *testing.T, tg *target) {
	names := []string{"alice", "alice", "bob", "carol", "carol", "carol"}
	c := users(t, tg, names...)
	for _, one := range c {
		one.ask(`{"action":"joinRoom","room":"goals"}`, `{"joined":`)
	}
	got := map[string]int{}
	for after := ""; ; {
		c[0].send(`{"action":"presence","room":"goals","limit":1` + after + `}`)
		text, err := c[0].rawReply()
		if err != nil {
			t.Fatal(err)
		}
		var reply struct {
			Presence struct {
				Users []struct {
					User        string
					Connections int
				}
				After string
				Total struct{ Users, Connections int }
			}
		}
		if err := json.Unmarshal([]byte(text), &reply); err != nil || len(reply.Presence.Users) != 1 {
			t.Fatalf("%s, %v", text, err)
		}
		p := reply.Presence
		got[p.Users[0].User] += p.Users[0].Connections
		if p.Total.Users != 3 || p.Total.Connections != 6 {
			t.Errorf("total %+v", p.Total)
		}
		if p.After == "" {
			break
		}
		after = fmt.Sprintf(`,"after":%q`, p.After)
	}
	if got["alice"] != 2 || got["bob"] != 1 || got["carol"] != 3 || len(got) != 3 {
		t.Errorf("present are %v", got)
	}
	c[5].ws.CloseNow()
	testenv.Eventually(t, patience, "the service notices", func() bool { return len(connections(tg, "disconnected")) == 1 })
	c[0].ask(`{"action":"presence","room":"goals"}`, `"total":{"users":3,"connections":5}`)
}

func scopes(t *testing.T, tg *target) {
	reader := signIn(t, tg, token(t, "reader", jwt.MapClaims{"scope": "room:go*:read"}))
	writer := signIn(t, tg, token(t, "writer", jwt.MapClaims{"scope": "room:goals direct"}))
	for _, one := range []*client{reader, writer} {
		one.ask(`{"action":"joinRoom","room":"goals"}`, `{"joined":`)
		one.ask(`{"action":"joinRoom","room":"chess"}`, `"code":"forbidden"`)
		one.ask(`{"action":"sendMessage","content":1}`, `"code":"forbidden"`)
	}
	reader.ask(`{"action":"sendMessage","room":"goals","content":1}`, `"code":"forbidden"`)
	reader.ask(`{"action":"sendMessage","to":"writer","content":1}`, `"code":"forbidden"`)
	writer.tell(`"room":"goals"`, `"written"`)
	reader.gets(`"written"`, "writer", "room:goals")
}

// renewal has a connection live on by a second token, without what that does not permit.
func renewal(t *testing.T, tg *target) {
	const leeway = 30 * time.Second
	expiry := time.Now().Add(8 * time.Second)
	alice := signIn(t, tg, token(t, "alice", jwt.MapClaims{"exp": expiry.Add(-leeway).Unix()}))
	alice.ask(`{"action":"joinRoom","room":"goals"}`, `{"joined":`)
	alice.ask(`{"action":"joinRoom","room":"chess"}`, `{"joined":`)
	alice.ask(`{"action":"authenticate","token":"bad"}`, `"code":"invalid_token"`)
	alice.ask(`{"action":"authenticate","token":"`+token(t, "eve", nil)+`"}`, `"code":"forbidden"`)
	alice.ask(`{"action":"authenticate","token":"`+token(t, "alice", jwt.MapClaims{"scope": "room:goals broadcast"})+`","ref":"r"}`, `"ref":"r"}}`)
	alice.ask(`{"action":"sendMessage","room":"chess","content":1}`, `"code":"forbidden"`)
	alice.ask(`{"action":"sendMessage","to":"bob","content":1}`, `"code":"forbidden"`)
	time.Sleep(time.Until(expiry.Add(12 * time.Second))) // longer than standalone takes to close
	alice.tell(`"room":"goals"`, `"still here"`)
	alice.gets(`"still here"`, "alice", "room:goals")
	alice.ask(sendTemplate+`"for all"}`, `{"accepted":`)
	alice.gets(`"for all"`, "alice", tg.everyone())
}
