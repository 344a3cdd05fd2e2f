// Package domain holds the types and rules of the service: connections, messages,
// recipients and fan-out jobs, the envelopes that clients receive, and the errors that
// they can get. It imports only the standard library and does no input or output.
package domain

import (
	"time"
	"unicode/utf8"
)

// MaxConnectionID is the longest connection id, in bytes: DynamoDB's limit for a key.
// The gateway's ids have 16.
const MaxConnectionID = 2048

// ConnectionID names one WebSocket connection. The gateway chooses it and never
// uses it again, so deleting a row by id cannot hit a later connection.
type ConnectionID string

// Valid reports whether the id can name a row and be written into a job: it is
// UTF-8, not empty, and no longer than MaxConnectionID.
func (id ConnectionID) Valid() bool {
	return id != "" && len(id) <= MaxConnectionID && utf8.ValidString(string(id))
}

// Connection is one registered WebSocket connection.
type Connection struct {
	ID ConnectionID
	// RegisteredAt is when the $connect handler stored the connection, by its clock.
	// The socket opens after the handler has answered, so the gateway may not know the
	// connection for some seconds; see Target.Fresh.
	RegisteredAt time.Time
	// ExpiresAt is when the row is stale even without a $disconnect event, which the
	// gateway sends on a best-effort basis.
	ExpiresAt time.Time
	// User is the user who opened the connection; empty if not signed in.
	User string
	// Scope is what the user's latest token permits.
	Scope Scope
}

// Expired reports whether the connection's row is stale at now.
func (c Connection) Expired(now time.Time) bool {
	return !now.Before(c.ExpiresAt)
}

// Principal returns who uses the connection, by its row.
func (c Connection) Principal() Principal {
	return Principal{User: c.User, Scope: c.Scope, ExpiresAt: c.ExpiresAt}
}

// Target returns the connection as a job names it.
func (c Connection) Target() Target {
	return Target{ID: c.ID, RegisteredAt: c.RegisteredAt}
}
