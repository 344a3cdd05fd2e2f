package domain

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxRecipient is the longest name of a user or a room, in bytes.
const MaxRecipient = 256

// Recipients says whom messages are for: everyone, a user or a room. The zero value is
// not Valid, so that a forgotten field never broadcasts a private message. Recipients
// can be compared with ==.
type Recipients struct {
	Kind RecipientKind
	Name string // of the user or the room; empty for Everyone
}

// RecipientKind is the kind of Recipients.
type RecipientKind int

// The kinds. Zero is none of them.
const (
	Everyone RecipientKind = iota + 1
	User
	Room
)

// ToEveryone returns the recipients of a broadcast.
func ToEveryone() Recipients { return Recipients{Kind: Everyone} }

// Valid reports whether the recipients are everyone without a name, or a user or a
// room whose name is UTF-8, not empty, and no longer than MaxRecipient.
func (r Recipients) Valid() bool {
	switch r.Kind {
	case Everyone:
		return r.Name == ""
	case User, Room:
		return r.Name != "" && len(r.Name) <= MaxRecipient && utf8.ValidString(r.Name)
	}
	return false
}

// String returns "everyone", "user:NAME" or "room:NAME", which ParseRecipients
// reads. It is empty for recipients that are not Valid.
func (r Recipients) String() string {
	switch {
	case !r.Valid():
		return ""
	case r.Kind == Everyone:
		return everyoneText
	case r.Kind == User:
		return userPrefix + r.Name
	}
	return roomPrefix + r.Name
}

const (
	everyoneText = "everyone"
	userPrefix   = "user:"
	roomPrefix   = "room:"
)

// ParseRecipients reads what String returned.
func ParseRecipients(text string) (Recipients, error) {
	var r Recipients
	if text == everyoneText {
		r.Kind = Everyone
	} else if name, ok := strings.CutPrefix(text, userPrefix); ok {
		r = Recipients{Kind: User, Name: name}
	} else if name, ok := strings.CutPrefix(text, roomPrefix); ok {
		r = Recipients{Kind: Room, Name: name}
	}
	if !r.Valid() {
		return Recipients{}, fmt.Errorf("no recipients: %.40q", text)
	}
	return r, nil
}
