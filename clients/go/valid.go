package client

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errGarbled is why the client ends a connection of which it does not understand a frame:
// to go on could lose messages.
var errGarbled = errors.New("a frame is not understood")

// maxRef is the longest ref that the service takes, in bytes.
const maxRef = 128

// check returns what the service would have against the ref.
func (m Outgoing) check() error {
	switch {
	case m.Again && m.Ref == "":
		return ErrInvalidAgain
	case len(m.Ref) > maxRef || strings.ContainsRune(m.Ref, utf8.RuneError): // also for what is not UTF-8
		return ErrInvalidRef
	}
	return nil
}

// validMessages reports whether messages have what the client needs of them.
func validMessages(all []Message, numbered bool) bool {
	return !slices.ContainsFunc(all, func(m Message) bool { return m.ID == "" || numbered && m.Seq < 1 })
}

func validPosition(text string) bool {
	epoch, number, _ := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	return epoch != "" && err == nil && seq >= 0
}

func (a Answer) valid() bool {
	if a.Error != nil {
		return a.Error.Code != ""
	}
	lost := a.Recovered != nil && !*a.Recovered
	return validPosition(a.Position) && validMessages(a.Messages, true) && (a.Reason != "" || !lost)
}

// answers reports whether this is an answer to a request with the action.
func (r *reply) answers(action string) bool {
	switch {
	case r.Error != nil:
		return r.Error.Code != ""
	case action == "sendMessage":
		return r.Accepted != nil && r.Accepted.ID != ""
	case action == "joinRoom":
		return r.Joined != nil && (r.Joined.Position == "" || validPosition(r.Joined.Position))
	case action == "leaveRoom":
		return r.Left != nil
	case action == "authenticate":
		return r.Authenticated != nil
	}
	for _, a := range r.Resumed {
		if !a.valid() {
			return false
		}
	}
	return r.Resumed != nil
}
