package memlog

import (
	"cmp"
	"context"
	"slices"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Conversations implements ports.Conversations. Its messages share the bounds of the log:
// above MaxBytes the oldest are dropped, of whatever channel or conversation. The errors
// of its methods are those of a context that has ended.
type Conversations struct{ log *Log }

// Conversations returns the conversations that are kept beside the channels.
func (l *Log) Conversations() Conversations { return Conversations{l} }

var _ ports.Conversations = Conversations{}

// conversation is what is kept of one, which is never empty, in the order of the ids.
type conversation struct {
	of   domain.Conversation
	kept fifo[domain.Message]
}

// Put adds the messages that are not kept yet.
func (c Conversations) Put(ctx context.Context, messages []domain.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	now, added := time.Now(), 0
	l.dropExpired(now)
	for _, m := range messages {
		if l.converse(m, now) {
			added++
		}
	}
	l.dropOver(added)
	return nil
}

// converse adds a message to its conversation unless that has it. The caller holds l.mu.
func (l *Log) converse(m domain.Message, now time.Time) bool {
	of := m.Conversation()
	c := l.conversations[of]
	if c == nil {
		c = &conversation{of: of}
	}
	at, found := c.find(m.ID)
	if found {
		return false
	}
	m = copied(m)
	m.Seq = 0
	c.kept.insert(at, m)
	l.conversations[of] = c
	l.oldest.push(mark{conversation: c, id: m.ID, at: now})
	l.bytes += sizeOf(m)
	return true
}

// find returns where a message is or would be.
func (c *conversation) find(id domain.MessageID) (at int, found bool) {
	return slices.BinarySearchFunc(c.kept.items, id, func(m domain.Message, id domain.MessageID) int { return cmp.Compare(m.ID, id) })
}

// dropFrom drops a message of a conversation. The caller holds l.mu.
func (l *Log) dropFrom(c *conversation, id domain.MessageID) {
	at, _ := c.find(id)
	l.bytes -= sizeOf(c.kept.remove(at))
	if len(c.kept.items) == 0 {
		delete(l.conversations, c.of)
	}
}

// Before returns messages until the next would exceed the size.
func (c Conversations) Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) (
	messages []domain.Message, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropExpired(time.Now())
	kept := l.conversations[of]
	if kept == nil {
		return nil, false, nil
	}
	preceding := kept.kept.items
	if id != "" {
		at, _ := kept.find(id)
		preceding = preceding[:at]
	}
	from := pageOf(preceding, limit, size)
	return slices.Clone(preceding[from:]), from > 0, nil
}

// pageOf returns where a page begins that ends with the last of the messages: at most limit
// of them with at most that much content, at least one.
func pageOf(messages []domain.Message, limit, size int) (from int) {
	last := len(messages)
	for from = last; from > 0 && last-from < limit && (from == last || len(messages[from-1].Content) <= size); from-- {
		size -= len(messages[from-1].Content)
	}
	return from
}
