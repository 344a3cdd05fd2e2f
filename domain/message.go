package domain

import "time"

// MessageID is a ULID: 26 characters whose lexical order is that of the instants
// at which messages came in. A client that remembers the ids it has seen can drop
// duplicates.
type MessageID string

// Message is one accepted broadcast.
type Message struct {
	ID      MessageID
	SentAt  time.Time // when it was accepted, to the millisecond
	Content Content
}

// NewMessage returns the message, or an *Error with code ContentTooLarge when
// its envelope alone would be longer than MaxPayload.
func NewMessage(id MessageID, sentAt time.Time, content Content) (Message, error) {
	m := Message{ID: id, SentAt: sentAt.UTC().Truncate(time.Millisecond), Content: content}
	if EnvelopeSize(m) > MaxPayload {
		return Message{}, NewError(ContentTooLarge)
	}
	return m, nil
}
