package domain

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxRecipient is the longest name of a user, in bytes, and MaxRoom that of a room.
const (
	MaxRecipient = 256
	MaxRoom      = 128
)

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

// ToUser returns the recipients of a message to one user: all connections of that user.
func ToUser(name string) Recipients { return Recipients{Kind: User, Name: name} }

// ToRoom returns the recipients of a message to a room: all connections in it.
func ToRoom(name string) Recipients { return Recipients{Kind: Room, Name: name} }

// Valid reports whether the recipients are everyone without a name, a ValidUser or a
// ValidRoom.
func (r Recipients) Valid() bool {
	switch r.Kind {
	case Everyone:
		return r.Name == ""
	case User:
		return ValidUser(r.Name)
	case Room:
		return ValidRoom(r.Name)
	}
	return false
}

// ValidUser reports whether a user can have that name: it is UTF-8, not empty, and no
// longer than MaxRecipient. It does not contain U+FFFD, in which decoders of JSON turn
// what they cannot read: different names would become one.
func ValidUser(name string) bool {
	return name != "" && len(name) <= MaxRecipient && !strings.ContainsRune(name, utf8.RuneError)
}

// ValidRoom reports whether a room can have that name: it has 1 to MaxRoom letters,
// digits and characters of "-._~/". So it can stand in a scope and in a URL.
func ValidRoom(name string) bool {
	return name != "" && len(name) <= MaxRoom && onlyOf(name, roomCharacters)
}

const roomCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"

func onlyOf(text, characters string) bool {
	for i := range len(text) {
		if strings.IndexByte(characters, text[i]) < 0 {
			return false
		}
	}
	return true
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
