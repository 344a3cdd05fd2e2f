package porttest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// ConversationsHarness makes the conversations under test.
type ConversationsHarness struct {
	// New makes an empty store for the case t, which also cleans it up. It keeps each
	// message for the retention, or up to a second longer.
	New func(t *testing.T, retention time.Duration) ConversationsUnderTest
	// Bubble is as for a LogHarness.
	Bubble bool
}

// ConversationsUnderTest is an empty store; see LogUnderTest.
type ConversationsUnderTest struct {
	Open func() ports.Conversations
	Pass func(time.Duration)
}

// TestConversations checks that the adapter fulfills the contract of ports.Conversations.
func TestConversations(t *testing.T, h ConversationsHarness) {
	for name, run := range map[string]func(*conversationCase){
		"nobody has written":               (*conversationCase).empty,
		"both sides":                       (*conversationCase).bothSides,
		"to oneself":                       (*conversationCase).oneself,
		"before every message":             (*conversationCase).beforeEach,
		"before an id that is not in it":   (*conversationCase).beforeOthers,
		"before by size":                   (*conversationCase).beforeSized,
		"put again":                        (*conversationCase).again,
		"put in any order":                 (*conversationCase).anyOrder,
		"several put at once":              (*conversationCase).concurrent,
		"names that look alike":            (*conversationCase).apart,
		"bytes pass unchanged":             (*conversationCase).bytes,
		"slices are not kept":              (*conversationCase).slices,
		"as much as a call takes":          (*conversationCase).large,
		"cancelled context":                (*conversationCase).cancelled,
		"expired messages are not served":  (*conversationCase).expired,
		"one that was put late":            (*conversationCase).late,
		"put again after it has expired":   (*conversationCase).returns,
		"all have expired, and it goes on": (*conversationCase).allExpired,
	} {
		t.Run(name, func(t *testing.T) {
			if h.Bubble {
				synctest.Test(t, func(t *testing.T) { run(newConversationCase(t, h)) })
			} else {
				run(newConversationCase(t, h))
			}
		})
	}
}

// conversationCase is one case with its own store. Its messages are made as those of a
// log.
type conversationCase struct {
	*logCase
	open func() ports.Conversations
}

func newConversationCase(t *testing.T, h ConversationsHarness) *conversationCase {
	var made ConversationsUnderTest
	c := &conversationCase{logCase: newLogCase(t, LogHarness{Bubble: h.Bubble, NewLog: func(t *testing.T, retention time.Duration) LogUnderTest {
		made = h.New(t, retention)
		return LogUnderTest{Pass: made.Pass}
	}})}
	c.open = made.Open
	return c
}

var withBob = domain.ConversationOf("alice", "bob")

// from returns n new messages from one user to another.
func (c *conversationCase) from(sender, to string, n int) (made []domain.Message) {
	c.Helper()
	for _, m := range c.messages(n) {
		m.Sender, m.To = sender, to
		made = append(made, m)
	}
	return made
}

// put puts messages, which have numbers in some log.
func (c *conversationCase) put(all ports.Conversations, messages ...domain.Message) {
	c.Helper()
	messages = slices.Clone(messages)
	for i := range messages {
		messages[i].Seq = int64(i) + 7
	}
	if err := all.Put(c.ctx, messages); err != nil {
		c.Fatalf("Put of %d messages: %v", len(messages), err)
	}
}

// fill puts n messages, of alice and bob in turn, by calls with one, two and three.
func (c *conversationCase) fill(all ports.Conversations, n int) (made []domain.Message) {
	c.Helper()
	for size := 1; len(made) < n; size = size%3 + 1 {
		some := c.from([]string{"alice", "bob"}[size%2], []string{"bob", "alice"}[size%2], min(size, n-len(made)))
		c.put(all, some...)
		made = append(made, some...)
	}
	return made
}

// read reads a conversation page by page, from the end or back from a message on.
func (c *conversationCase) read(all ports.Conversations, of domain.Conversation, from domain.MessageID, limit, size int) (messages []domain.Message) {
	c.Helper()
	for range maxPages {
		page, more, err := all.Before(c.ctx, of, from, limit, size)
		if err != nil {
			c.Fatalf("Before %q: %v", from, err)
		}
		if n := len(page); n > limit || more && n == 0 {
			c.Fatalf("Before %q: %d messages of %d, more: %v", from, n, limit, more)
		}
		messages = slices.Concat(page, messages)
		if !more {
			return messages
		}
		from = page[0].ID
	}
	c.Fatalf("the conversation has not begun after %d pages", maxPages)
	return nil
}

// holds checks what a conversation is.
func (c *conversationCase) holds(all ports.Conversations, of domain.Conversation, want []domain.Message) {
	c.Helper()
	for _, limit := range []int{1, 2, 1000} {
		c.same(c.read(all, of, "", limit, unlimited), want)
	}
}

// unlimited is more content than any case has.
const unlimited = 1 << 30

// empty asks for what nobody has written.
func (c *conversationCase) empty() {
	all := c.open()
	c.holds(all, withBob, nil)
	c.put(all)
	c.put(all, c.from("alice", "carol", 1)...)
	c.holds(all, withBob, nil)
	page, more, err := all.Before(c.ctx, withBob, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 5, unlimited)
	if err != nil || len(page) > 0 || more {
		c.Errorf("Before: %s, more: %v, %v", brief(page), more, err)
	}
}

func (c *conversationCase) bothSides() {
	all := c.open()
	want := c.fill(all, 7)
	for _, all := range []ports.Conversations{all, c.open()} {
		c.holds(all, domain.ConversationOf("alice", "bob"), want)
		c.holds(all, domain.ConversationOf("bob", "alice"), want)
	}
	for _, other := range []domain.Conversation{
		domain.ConversationOf("alice", "alice"), domain.ConversationOf("bob", "bob"), domain.ConversationOf("alice", "carol"),
	} {
		c.holds(all, other, nil)
	}
}

func (c *conversationCase) oneself() {
	all := c.open()
	notes := c.from("alice", "alice", 2)
	c.put(all, append(c.from("alice", "bob", 1), notes...)...)
	c.holds(all, domain.ConversationOf("alice", "alice"), notes)
}

// anyOrder puts messages in another order than they were accepted in.
func (c *conversationCase) anyOrder() {
	all := c.open()
	want := c.from("alice", "bob", 12)
	for _, i := range []int{5, 0, 11, 3, 4, 10, 1, 9, 2, 8, 7, 6} {
		c.put(all, want[i])
	}
	c.holds(all, withBob, want)
	mixed := c.from("bob", "alice", 30)
	want = append(want, mixed...)
	reversed := slices.Clone(mixed)
	slices.Reverse(reversed)
	c.put(all, reversed...)
	c.holds(c.open(), withBob, want)
}

// again puts what was put, one by one, in one call and partly.
func (c *conversationCase) again() {
	all := c.open()
	want := c.fill(all, 40)
	fresh := c.from("bob", "alice", 2)
	c.put(all, want...)
	c.put(c.open(), want[3], fresh[0], want[3], fresh[0])
	c.put(all, fresh[1], want[39], fresh[1])
	c.holds(c.open(), withBob, append(want, fresh...))
}

// concurrent has several put the same and other messages at once.
func (c *conversationCase) concurrent() {
	shared := c.from("alice", "bob", 30)
	want := slices.Clone(shared)
	done := make(chan error)
	for i := range 6 {
		all, mine := c.open(), c.from("bob", "alice", 10)
		want = append(want, mine...)
		go func() {
			err := all.Put(c.ctx, append(slices.Clone(shared), mine[:5]...))
			for _, m := range append(mine[5:], shared[i]) {
				if err == nil {
					err = all.Put(c.ctx, []domain.Message{m})
				}
			}
			if _, _, failed := all.Before(c.ctx, withBob, "", 10, unlimited); err == nil {
				err = failed
			}
			done <- err
		}()
	}
	for range 6 {
		if err := <-done; err != nil {
			c.Error(err)
		}
	}
	c.holds(c.open(), withBob, want)
}

// apart has users whose names could be taken for others.
func (c *conversationCase) apart() {
	all := c.open()
	names := []string{"a", "b", "a,b", "b,a", "1:a", "1:a,b", "a\x00", "\x00", "A", "김", longName("x"), longName("y")}
	want := make(map[domain.Conversation][]domain.Message)
	for i, one := range names {
		for _, other := range names[i:] {
			m := c.from(one, other, 1)
			want[m[0].Conversation()] = m
			c.put(all, m...)
		}
	}
	for of, messages := range want {
		c.same(c.read(all, of, "", 10, unlimited), messages)
	}
}

func longName(end string) string {
	return fmt.Sprintf("%0*d%s", domain.MaxRecipient-1, 0, end)
}

func (c *conversationCase) slices() {
	all, messages := c.open(), c.from("alice", "bob", 2)
	want := slices.Clone(messages)
	for i := range want {
		want[i].Content = slices.Clone(want[i].Content)
	}
	if err := all.Put(c.ctx, messages); err != nil {
		c.Fatal(err)
	}
	copy(messages[0].Content, `"changed!"`)
	messages[1] = messages[0]
	page := c.read(all, withBob, "", 10, unlimited)
	if len(page) != 2 {
		c.Fatalf("%d messages", len(page))
	}
	page[0] = page[1]
	c.holds(all, withBob, want)
}

func (c *conversationCase) cancelled() {
	all := c.open()
	want := c.fill(all, 2)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	put := all.Put(ctx, c.from("alice", "bob", 1))
	_, _, before := all.Before(ctx, withBob, "", 1, unlimited)
	for call, err := range map[string]error{"Put": put, "Before": before} {
		if err == nil {
			c.Errorf("%s under a cancelled context: no error", call)
		}
	}
	c.holds(all, withBob, want)
}
