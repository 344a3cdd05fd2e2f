package diskstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Conversations implements ports.Conversations. A message lies in the file of the day on
// which it was put, and in several if it was put again later.
type Conversations struct{ store *Store }

// Conversations returns the conversations in the store.
func (s *Store) Conversations() Conversations { return Conversations{s} }

var _ ports.Conversations = Conversations{}

// conversationKey begins the keys of a conversation, which the ids of its messages end.
// None is the beginning of another.
func conversationKey(of domain.Conversation) []byte { return withLength(of.String()) }

// keyOf returns the key of a message in its conversation.
func keyOf(m domain.Message) []byte { return append(conversationKey(m.Conversation()), m.ID...) }

// Put writes to the newest file. It waits for the disk only if not all messages are there:
// Journal.Keep has put those that come from a queue.
func (c Conversations) Put(ctx context.Context, messages []domain.Message) error {
	if err := ctx.Err(); err != nil || len(messages) == 0 {
		return err
	}
	keys, encoded := make([][]byte, len(messages)), make([][]byte, len(messages))
	for i, m := range messages {
		keys[i], encoded[i] = keyOf(m), encodeMessage(m)
	}
	if c.store.onDisk(ctx, len(keys), func(tx *bbolt.Tx, i int, now time.Time) (bool, error) {
		r, found, err := getRecord(tx, conversationBucket, keys[i])
		return found && !c.store.gone(r, now), err
	}) {
		return nil
	}
	return c.store.do(ctx, &operation{apply: func(b *batch) error {
		for i, key := range keys {
			if err := b.putMessage(key, encoded[i]); err != nil {
				return err
			}
		}
		return nil
	}})
}

// putMessage puts an encoded message into its conversation.
func (b *batch) putMessage(key, message []byte) error {
	return b.put(conversationBucket, key, record{at: b.now, message: message}.encode())
}

// converse puts those of the messages into their conversations that a user has received,
// once they have entries. A repeat is in no log, and in no conversation.
func (a *appending) converse(b *batch) error {
	for i, m := range a.messages {
		if a.to != domain.ToUser(m.To) || a.entries[i].RepeatOf != "" {
			continue
		}
		if err := b.putMessage(keyOf(m), a.encoded[i]); err != nil {
			return err
		}
	}
	return nil
}

// Before looks into all files: a message can be put long after newer ones.
func (c Conversations) Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) (
	messages []domain.Message, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s := c.store
	s.filesMu.RLock()
	defer s.filesMu.RUnlock()
	if s.files == nil {
		return nil, false, errClosed
	}
	p := page{store: s, now: time.Now(), key: conversationKey(of), before: id, limit: limit, size: size}
	for _, f := range slices.Backward(s.files) {
		if err := f.view(ctx, p.read); err != nil {
			return nil, false, fmt.Errorf("conversation %.40q: %w", of, err)
		}
	}
	messages = p.messages[:p.fits()]
	slices.Reverse(messages)
	return messages, len(messages) < len(p.messages), nil
}

// page is what is read of a conversation: the newest messages before an id that fit, and one
// more, newest first.
type page struct {
	store       *Store
	now         time.Time
	key         []byte           // of the conversation
	before      domain.MessageID // empty for the end
	limit, size int
	messages    []domain.Message
}

// fits returns how many of the messages are within the limits.
func (p *page) fits() int {
	n, _ := fitting(p.messages, p.size)
	return min(n, p.limit)
}

// read adds what a file has, from the newest on, until the page is full of newer ones.
func (p *page) read(tx *bbolt.Tx) error {
	cursor := tx.Bucket(conversationBucket).Cursor()
	for key, value := last(cursor, p.key, p.before); bytes.HasPrefix(key, p.key); key, value = cursor.Prev() {
		at, found := p.find(domain.MessageID(key[len(p.key):]))
		if at > p.fits() {
			return nil
		}
		if found {
			continue
		}
		m, fresh, err := p.message(key, value)
		if err != nil {
			return err
		}
		if fresh {
			p.messages = slices.Insert(p.messages, at, m)
			p.messages = p.messages[:min(len(p.messages), p.fits()+1)]
		}
	}
	return nil
}

// last returns the last message of a conversation before an id.
func last(cursor *bbolt.Cursor, conversation []byte, before domain.MessageID) (key, value []byte) {
	end := append(slices.Clone(conversation), before...)
	if before == "" {
		end = append(end, 0xff) // ids are text
	}
	if key, _ = cursor.Seek(end); key == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}

// find returns where a message is or would be.
func (p *page) find(id domain.MessageID) (at int, found bool) {
	return slices.BinarySearchFunc(p.messages, id, func(m domain.Message, id domain.MessageID) int { return cmp.Compare(id, m.ID) })
}

// message reads a message. It is fresh unless it has expired.
func (p *page) message(key, value []byte) (m domain.Message, fresh bool, err error) {
	payload, err := payloadOf(key, value)
	if err != nil {
		return m, false, err
	}
	r, err := decodeRecord(payload)
	if err != nil || p.store.gone(r, p.now) {
		return m, false, err
	}
	m, err = decodeMessage(r.message, 0)
	return m, err == nil, err
}
