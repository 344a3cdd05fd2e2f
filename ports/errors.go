package ports

import "errors"

// The errors that cross the ports. Adapters wrap them with what they know, so
// test with errors.Is.
var (
	// ErrGone: the gateway does not know the connection (any longer or yet).
	ErrGone = errors.New("connection gone")
	// ErrThrottled: refused for now.
	ErrThrottled = errors.New("throttled")
	// ErrRejected: refused for a reason that no retry changes: the id is malformed, or
	// this process is not allowed to post at all.
	ErrRejected = errors.New("rejected")
	// ErrNotSent: there was no time left to begin. Nothing was tried or refused.
	ErrNotSent = errors.New("not sent")
	// ErrTooLarge: over a limit; no retry will help.
	ErrTooLarge = errors.New("too large")
	// ErrBadMessage: not a valid queue message.
	ErrBadMessage = errors.New("bad queue message")
	// ErrQueueFull: no room until the consumer has caught up.
	ErrQueueFull = errors.New("queue full")
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrTooMany: there are as many as there may be.
	ErrTooMany = errors.New("too many")
	// ErrBadCursor: not a position in this table.
	ErrBadCursor = errors.New("bad cursor")
	// ErrExpired: what followed the position in the log is not kept any more.
	ErrExpired = errors.New("expired")
	// ErrReset: the log has started over since it had the position.
	ErrReset = errors.New("reset")
)
