package porttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"serverless-websocket/domain"
)

// beforeEach reads from the end and from each message on, in pages of several sizes.
func (c *conversationCase) beforeEach() {
	all := c.open()
	want := c.fill(all, 25)
	c.put(all, c.from("alice", "carol", 3)...)
	for _, limit := range []int{1, 2, 3, 7, 24, 25, 26, 1000} {
		c.same(c.read(all, withBob, "", limit, unlimited), want)
		for i, m := range want {
			page, more, err := all.Before(c.ctx, withBob, m.ID, limit, unlimited)
			if err != nil || more != (i > limit) {
				c.Errorf("Before message %d: %d of %d, more: %v, %v", i, len(page), limit, more, err)
			}
			c.same(page, want[max(0, i-limit):i])
			c.same(c.read(all, withBob, m.ID, limit, unlimited), want[:i])
		}
	}
}

// beforeOthers reads before ids that no message of the conversation has.
func (c *conversationCase) beforeOthers() {
	all := c.open()
	first := c.from("alice", "bob", 3)
	between := c.from("alice", "carol", 1)
	last := c.from("bob", "alice", 3)
	c.put(all, slices.Concat(first, between, last)...)
	for id, want := range map[domain.MessageID][]domain.Message{
		"00000000000000000000000000": nil,
		first[0].ID:                  nil,
		between[0].ID:                first,
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ": slices.Concat(first, last),
	} {
		c.same(c.read(all, withBob, id, 2, unlimited), want)
	}
}

// beforeSized reads back messages of ten bytes by their size.
func (c *conversationCase) beforeSized() {
	all := c.open()
	want := c.fill(all, 25)
	for size, n := range map[int]int{-1: 1, 0: 1, 9: 1, 19: 1, 20: 2, 35: 3, 239: 23, 240: 24, 250: 25, 1000: 25} {
		page, more, err := all.Before(c.ctx, withBob, "", 100, size)
		if err != nil || more != (n < 25) {
			c.Errorf("Before the end, %d bytes: more: %v, %v", size, more, err)
		}
		c.same(page, want[25-n:])
		page, more, err = all.Before(c.ctx, withBob, want[2].ID, 100, size)
		if err != nil || more != (n < 2) {
			c.Errorf("Before the third, %d bytes: more: %v, %v", size, more, err)
		}
		c.same(page, want[2-min(n, 2):2])
		c.same(c.read(all, withBob, "", 100, size), want)
	}
}

// bytes has what encodings tend to change.
func (c *conversationCase) bytes() {
	all := c.open()
	names := []string{`"김" <a&b>`, "a\x00\n\u2028\uFFFE", strings.Repeat("é", domain.MaxRecipient/2), `b\"` + "\t\U0010FFFF"}
	for i, content := range []string{
		`"<b>&서버리스 😀"`, `{ "b":1,  "a":1.0 , "b":2}`, "\t[1,\r\n 2e+05 ]\n", "\"\u2028\u2029\"", "\"\uFFFE\uFFFF\uFFFD\"",
		`"\u0000\ud800\/\"\\"`, "\"\u0085\uFEFF\u00A0é\u0065\u0301\"", `12345678901234567890.000`, `false`,
	} {
		m := c.message(content)
		m.Sender, m.To, m.SentAt = names[i%4], names[(i/2)%4], m.SentAt.AddDate(-i, 0, 0)
		c.put(all, m)
		page := c.read(all, m.Conversation(), "", 100, unlimited)
		c.same(page[len(page)-1:], []domain.Message{m})
	}
}

// large puts the largest message, and about as many of the smallest as a call takes.
func (c *conversationCase) large() {
	all := c.open()
	m := c.from("alice", "bob", 1)[0]
	room := domain.MaxPayload - domain.EnvelopeSize(domain.ToUser("bob"), "", m)
	m.Content = domain.Content(`"` + strings.Repeat("x", room) + `"`)
	want := []domain.Message{m}
	c.put(all, m)
	var many []domain.Message
	for left := domain.MaxPayload; ; {
		m := c.message(fmt.Sprint(len(many) % 10))
		m.Sender, m.To = "a", "b"
		if left -= domain.EnvelopeSize(domain.ToUser("b"), "", m); left < 0 {
			break
		}
		many = append(many, m)
	}
	c.put(all, many...)
	c.same(c.read(all, domain.ConversationOf("a", "b"), "", 100, unlimited), many)
	for range 20 { // more than a page of DynamoDB
		m.ID = c.from("alice", "bob", 1)[0].ID
		c.put(all, m)
		want = append(want, m)
	}
	c.same(c.read(all, withBob, "", 100, unlimited), want)
	c.same(c.read(all, withBob, "", 100, 1), want)
}

// expired lets the first of several messages expire.
func (c *conversationCase) expired() {
	all := c.open()
	old := c.fill(all, 30)
	c.pass(retention / 2)
	kept := c.fill(all, 6)
	c.holds(all, withBob, append(old, kept...))
	c.pass(retention/2 + 2*time.Second)
	for range 2 {
		c.holds(all, withBob, kept)
		c.same(c.read(all, withBob, kept[3].ID, 2, unlimited), kept[:3])
		c.same(c.read(all, withBob, old[7].ID, 2, unlimited), nil)
		page, more, err := all.Before(c.ctx, withBob, "", 6, unlimited)
		if err != nil || len(page) != 6 || more {
			c.Errorf("all that are kept: %d messages, more: %v, %v", len(page), more, err)
		}
		all = c.open()
	}
}

// late puts one message long after others that were accepted at the same time.
func (c *conversationCase) late() {
	all := c.open()
	first, between, last := c.from("alice", "bob", 3), c.from("bob", "alice", 1), c.from("alice", "bob", 3)
	c.put(all, slices.Concat(first, last)...)
	c.pass(retention / 2)
	c.put(all, between...)
	c.holds(all, withBob, slices.Concat(first, between, last))
	c.pass(retention/2 + 2*time.Second)
	c.holds(all, withBob, between)
	kept := c.fill(all, 3)
	c.holds(c.open(), withBob, slices.Concat(between, kept))
}

// returns puts a message again: it is served from then on for as long as any other.
func (c *conversationCase) returns() {
	all := c.open()
	old := c.fill(all, 3)
	c.pass(retention + 2*time.Second)
	c.put(all, old[1])
	c.holds(all, withBob, old[1:2])
	c.pass(retention - 5*time.Second)
	c.holds(all, withBob, old[1:2])
	c.pass(7 * time.Second)
	c.holds(all, withBob, nil)
}

func (c *conversationCase) allExpired() {
	all := c.open()
	for range 3 {
		c.holds(all, withBob, c.fill(all, 5))
		c.pass(retention + 2*time.Second)
		c.holds(all, withBob, nil)
	}
}
