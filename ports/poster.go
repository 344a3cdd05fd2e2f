package ports

import (
	"context"

	"serverless-websocket/domain"
)

// Nobody is an id of the gateway's form that no connection has: ids begin with a
// clock, and its clock stands at zero. A post to it is answered with ErrGone if
// the caller may post at all.
const Nobody domain.ConnectionID = "AAAAAAAAAAAAAAA="

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
// The errors are
//   - ErrGone, when the gateway does not know the connection (any more, or yet);
//   - ErrThrottled, when it refuses the post for now, be it the account's quota or
//     this client's full buffer;
//   - ErrRejected, when it refuses the post for a reason that no retry changes. The
//     answer does not say whether the id is wrong, or the endpoint, the stage or
//     the caller's permission, so that no post can be taken: ask Nobody;
//   - ErrTooLarge, when the gateway's limit is lower than domain.MaxPayload;
//   - ErrNotSent, when ctx left no time to begin;
//   - any other for a post that may be taken another time and of which nobody knows
//     whether it arrived: a server's trouble, a lost connection, or, wrapping
//     context.DeadlineExceeded, one that took too long.
type Post func(ctx context.Context, id domain.ConnectionID) error
