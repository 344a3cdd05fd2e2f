package domain

import (
	"fmt"
	"time"
)

// MessageID is a ULID: 26 characters that sort by the time when the message came in.
// A client drops duplicates by it.
type MessageID string

// crockford is the alphabet of ULIDs.
// https://github.com/ulid/spec
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Valid reports whether the id is a ULID in upper case. Its 26 characters stand for
// 128 bits, so the first is at most 7.
func (id MessageID) Valid() bool {
	if len(id) != 26 || id[0] > '7' {
		return false
	}
	return onlyOf(string(id), crockford)
}

// Message is a message that was accepted. Make it by NewMessage: an envelope writes its
// id and time unchecked.
type Message struct {
	ID      MessageID
	SentAt  time.Time // when it was accepted, to the millisecond
	Sender  string    // the verified user; empty if not signed in
	To      string    // the user of a message to one user; otherwise empty
	Content Content   // as ParseContent returned it
	// Seq is the message's number in the log of its channel, 1 to MaxSeq; 0 if it is in
	// none.
	Seq int64
	// Ref is the sender's own tag for the message, by which the log finds repeats of it:
	// a ValidRef, or empty if there is none or the message needs no finding. Again says that
	// it may be such a repeat. No client gets to see them.
	Ref   string
	Again bool
}

// NewMessage returns the message. The error is an *Error with code ContentTooLarge when
// its envelope alone would be longer than MaxPayload, and any other when the id is not
// Valid, the time not Plausible or the sender neither empty nor a ValidUser.
func NewMessage(id MessageID, sentAt time.Time, sender string, content Content) (Message, error) {
	if !id.Valid() {
		return Message{}, fmt.Errorf("message id %.40q is not a ULID", id)
	}
	if !Plausible(sentAt) {
		return Message{}, fmt.Errorf("message %s was sent in the year %d", id, sentAt.Year())
	}
	if sender != "" && !ValidUser(sender) {
		return Message{}, fmt.Errorf("message %s has the sender %.40q", id, sender)
	}
	m := Message{ID: id, SentAt: sentAt.UTC().Truncate(time.Millisecond), Sender: sender, Content: content}
	if EnvelopeSize(ToEveryone(), "", m) > MaxPayload {
		return Message{}, NewError(ContentTooLarge)
	}
	return m, nil
}
