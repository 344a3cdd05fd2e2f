// Package ports defines what the use cases need from outside: the interfaces, the errors
// that cross them and the limits on both sides. Every adapter of a port passes the same
// suite in package porttest.
package ports

import (
	"context"

	"serverless-websocket/domain"
)

// ConnectionStore is the table of registered connections.
//
// All methods are safe for concurrent use. They honor the context and within it retry
// what the technology says is safe to retry; an error they return is final for the call.
// None keeps a slice it was given.
type ConnectionStore interface {
	// Put stores the connection, replacing one with the same id.
	Put(ctx context.Context, c domain.Connection) error

	// Replace stores the connection if one with its id is stored; ErrNotFound otherwise.
	// The same call can succeed twice, so its effect is the same.
	Replace(ctx context.Context, c domain.Connection) error

	// Get returns the connection as it was last stored, also if it has expired, or
	// ErrNotFound.
	Get(ctx context.Context, id domain.ConnectionID) (domain.Connection, error)

	// Delete removes any number of connections; an id that is not stored is no error.
	// After an error some of them may be left.
	Delete(ctx context.Context, ids ...domain.ConnectionID) error

	// Scan returns one page of the segment, starting at the cursor, in no particular
	// order. Expired rows are omitted, so a page can be empty and still have a next
	// cursor. A connection that is stored during the whole scan, from the empty cursor
	// until Next is empty, is returned once; one that is added or removed meanwhile may
	// or may not be returned. The segments of one total together cover the table without
	// overlap.
	//
	// A cursor is valid for the segment it came from, in any process and at any later
	// time, even when rows near it are gone. The error for a cursor that this store did
	// not make, or for a segment that is not Valid, is ErrBadCursor.
	Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (Page, error)
}

// Page is one page of a scan.
type Page struct {
	Connections []domain.Connection
	Next        domain.Cursor // empty: the scan is over
	// Expired are connections of users whose rows have expired. Their sockets may be
	// open: API Gateway knows nothing of tokens. A store that can drop such rows, because
	// its gateway closes the sockets, returns none.
	Expired []domain.ConnectionID
}
