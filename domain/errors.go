package domain

import (
	"math/rand/v2"
	"time"
)

// Code is the kind of an error that a client can get. The set is closed: clients
// switch on it, and docs/protocol.md has a row for each.
type Code string

// The codes.
const (
	InvalidJSON      Code = "invalid_json"
	NotAnObject      Code = "not_an_object"
	TooDeep          Code = "too_deep"
	UnknownAction    Code = "unknown_action"
	InvalidRef       Code = "invalid_ref"
	InvalidAgain     Code = "invalid_again"
	MissingContent   Code = "missing_content"
	BlankContent     Code = "blank_content"
	ContentTooLarge  Code = "content_too_large"
	InvalidRecipient Code = "invalid_recipient"
	InvalidRoom      Code = "invalid_room"
	InvalidPage      Code = "invalid_page"
	InvalidPosition  Code = "invalid_position"
	InvalidToken     Code = "invalid_token"
	NotAMember       Code = "not_a_member"
	TooManyRooms     Code = "too_many_rooms"
	NoHistory        Code = "no_history"
	Unauthenticated  Code = "unauthenticated"
	Forbidden        Code = "forbidden"
	Unavailable      Code = "unavailable"
	Internal         Code = "internal"
)

// messages holds the texts for clients. Those of UnknownAction and MissingContent come
// from the service's first version, and clients match them.
var messages = map[Code]string{
	InvalidJSON:      "The frame is not valid JSON.",
	NotAnObject:      "The frame is not a JSON object.",
	TooDeep:          "The frame nests arrays and objects more than 512 levels deep.",
	UnknownAction:    "Unrecognized WebSocket action.",
	InvalidRef:       "'ref' must be a string of at most 128 bytes.",
	InvalidAgain:     "'again' must be true or false, and beside true there must be the 'ref' of the first try.",
	MissingContent:   "'content' not in message dict",
	BlankContent:     "'content' must not be null or blank.",
	ContentTooLarge:  "'content' does not fit into a message of 131072 bytes, or of 98304 if the service keeps messages.",
	InvalidRecipient: "Address a message with 'to', the name of a user, or with 'room', not with both, and with no member that sendMessage does not have. Load a conversation with 'with', the name of a user, and without 'room'.",
	InvalidRoom:      "'room' must be 1 to 128 letters, digits, '-', '.', '_', '~' and '/'.",
	InvalidPage:      "'limit' must be a whole number from 1 to 100, and 'after' the name of a user.",
	InvalidPosition:  "A position must be one that the service has sent, and in 'positions' stand by the name of a channel.",
	InvalidToken:     "'token' must be a valid token.",
	NotAMember:       "Join the room first.",
	TooManyRooms:     "The connection is in as many rooms as it can be.",
	NoHistory:        "This service keeps no messages.",
	Unauthenticated:  "Sign in first: connect with a token.",
	Forbidden:        "You do not have the permission to do that.",
	Unavailable:      "The request could not be accepted now. Send it again later.",
	Internal:         "Internal server error.",
}

// Error is an error with a code. Its cause is for logs, never for clients.
type Error struct {
	Code  Code
	Cause error
	// RetryAfter is how long the client waits before it asks again, for Unavailable; zero
	// for the others.
	RetryAfter time.Duration
}

// NewError returns an error without a cause: the input was bad.
func NewError(code Code) *Error { return &Error{Code: code} }

// NewUnavailable returns an error of something that failed and may work later. Clients
// wait for 2 to 10 seconds, at random: those that it has met together do not return
// together.
func NewUnavailable(cause error) *Error {
	return &Error{Code: Unavailable, Cause: cause, RetryAfter: 2*time.Second + rand.N(8*time.Second)}
}

// NewBusy returns an error of a service that works, and has a limit. Clients wait for that
// long.
func NewBusy(wait time.Duration) *Error { return &Error{Code: Unavailable, RetryAfter: wait} }

// Message returns the text for clients.
func (e *Error) Message() string { return messages[e.Code] }

// Error returns the code and the cause, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
