package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MaxRef is the longest ref that a client may attach to a request, in bytes of
// UTF-8 once its escapes are resolved.
const MaxRef = 128

// RepeatWindow is how long after a message was accepted a repeat of it is known as one.
const RepeatWindow = 15 * time.Minute

// ValidRef reports whether messages can be told apart by the ref: it is not empty, at most
// MaxRef bytes long, and has no replacement character, which stands for anything without a
// UTF-8 form.
func ValidRef(ref string) bool {
	return ref != "" && len(ref) <= MaxRef && !strings.ContainsRune(ref, utf8.RuneError)
}

// RepeatOf returns the id of another message of the same channel that is the same one: its
// sender has sent it twice, under one ref, and said so with Again, since the answer to the
// first was lost. Either can be among the others, because a queue may deliver the second
// first. The id is empty if there is none.
func (m Message) RepeatOf(others []Message) MessageID {
	if m.Ref == "" {
		return ""
	}
	for _, other := range others {
		if (m.Again || other.Again) && m.Ref == other.Ref && m.Sender == other.Sender && m.To == other.To &&
			m.ID != other.ID && m.SentAt.Sub(other.SentAt).Abs() <= RepeatWindow {
			return other.ID
		}
	}
	return ""
}
