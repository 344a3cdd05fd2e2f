// Package client is a client of the service, in Go. [Client] keeps a connection, and
// [Inbox] puts what it receives into order: each message of a channel once, also across
// connections, or word that some are lost.
package client

import (
	"encoding/json"
	"time"
)

// Message is one that the service delivers.
type Message struct {
	ID      string          `json:"id"`
	Seq     int64           `json:"seq"` // 0 if the service keeps no messages
	SentAt  time.Time       `json:"sentAt"`
	Sender  string          `json:"sender"` // the verified user; empty if not signed in
	To      string          `json:"to"`     // the user of a message to one user
	Content json.RawMessage `json:"content"`
}

// Frame is what the service sends when there are messages.
type Frame struct {
	Messages []Message `json:"messages"`
	Channel  string    `json:"channel"` // "everyone", "user" or "room:NAME"
	Epoch    string    `json:"epoch"`
}

// Answer is what the service says of a channel when a client resumes.
type Answer struct {
	Recovered *bool     `json:"recovered"` // nil for a channel whose position the client did not tell
	Reason    string    `json:"reason"`    // why it is false
	Position  string    `json:"position"`  // of the last message included, or of the newest
	More      bool      `json:"more"`
	Messages  []Message `json:"messages"`
	Error     *Error    `json:"error"`
}

// Error is the answer to a request that was refused.
type Error struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"` // under which the service logs it
	// RetryAfter is how many seconds to wait before the request is made again, with the code
	// unavailable. For its own requests, the client does so.
	RetryAfter int `json:"retryAfter"`
}

// Error returns the code and the text.
func (e *Error) Error() string { return e.Code + ": " + e.Message }
