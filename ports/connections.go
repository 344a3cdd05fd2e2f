// Package ports says what the use cases need from the outside: the interfaces,
// the errors that cross them and the limits that hold on both sides. Every
// adapter of a port passes the same suite in package porttest.
package ports

import (
	"context"

	"serverless-websocket/domain"
)

// ConnectionStore is the table of registered connections.
//
// All methods may be called concurrently. They honour the context and retry
// what the technology says may be retried within it; an error they return is
// final for the call. None keeps a slice it was given.
type ConnectionStore interface {
	// Put stores the connection, replacing one with the same id.
	Put(ctx context.Context, c domain.Connection) error

	// Delete removes the connections; an id that is not stored is no error. On
	// an error some of them may be left. Any number of ids is taken.
	Delete(ctx context.Context, ids ...domain.ConnectionID) error

	// Scan returns one page of the segment, from the cursor on, in no
	// particular order. Rows that have expired are left out, so a page may be
	// empty and still have a next cursor. A connection that is stored during
	// the whole scan, from the empty cursor until Next is empty, is returned
	// once; one that comes or goes meanwhile may be returned or not. The
	// segments of one total together cover the table without overlap.
	//
	// A cursor is good for the segment it came from, in any process and at any
	// later time, even when rows near it are gone. The error for one that this
	// store did not make, or for a segment that is not Valid, is ErrBadCursor.
	Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (Page, error)
}

// Page is one page of a scan.
type Page struct {
	Connections []domain.Connection
	Next        domain.Cursor // empty: the scan is over
}
