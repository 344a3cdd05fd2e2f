package ports

import (
	"context"

	"serverless-websocket/domain"
)

// Poster sends payloads to connections through the gateway.
type Poster interface {
	// Prepare does once what all posts of one payload share, such as hashing or
	// framing it, and returns the Post for it. It keeps the payload, which must
	// not be changed afterwards. The error for a payload longer than
	// domain.MaxPayload is ErrTooLarge.
	Prepare(payload []byte) (Post, error)
}

// Post sends its payload to one connection, once, without retrying: when to try
// again is the use case's decision. It may be called concurrently and returns
// by itself, within the poster's own time limit, even if ctx never ends.
//
// The errors are ErrGone, when the gateway does not know the connection (any
// more, or yet); ErrThrottled, when it refuses the post for now, be it the
// account's quota or this client's full buffer; ErrNotSent, when ctx left no time
// to begin; and any other for a post of which nobody knows whether it arrived, one
// that wraps context.DeadlineExceeded if it took too long.
type Post func(ctx context.Context, id domain.ConnectionID) error
