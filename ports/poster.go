package ports

import (
	"context"

	"serverless-websocket/domain"
)

// Nobody is a well-formed id that no connection has: ids begin with a time, and its time
// is zero. A post to it fails with ErrGone if the caller is allowed to post at all.
const Nobody domain.ConnectionID = "AAAAAAAAAAAAAAA="

// Poster sends payloads to connections through the gateway.
type Poster interface {
	// Prepare does the work that all posts of a payload share, such as hashing or framing
	// it, and returns the Post for it. It keeps the payload, which must not change
	// afterwards. The error for a payload longer than domain.MaxPayload is ErrTooLarge.
	Prepare(payload []byte) (Post, error)
	// Closing returns the Post that closes a connection instead of sending to it. It
	// counts against the quota like any other.
	Closing() Post
}

// Post sends its payload to one connection, once, without retrying: the use case decides
// when to try again. It is safe for concurrent use and returns within the poster's own
// time limit, even if ctx never ends.
//
// The errors are
//   - ErrGone, when the gateway does not know the connection (any longer or yet);
//   - ErrThrottled, when it refuses the post for now, because of the account's quota or
//     this client's full buffer;
//   - ErrRejected, when it refuses the post for a reason that no retry changes. The
//     answer does not say whether only the id is wrong, or whether the endpoint, the
//     stage or the caller's permission is, so that every post would fail: post to Nobody
//     to find out;
//   - ErrTooLarge, when the gateway's limit is lower than domain.MaxPayload;
//   - ErrNotSent, when ctx leaves no time to begin;
//   - any other for a post that may succeed later and may or may not have arrived: a
//     server error, a lost connection, or, wrapping context.DeadlineExceeded, a post that
//     took too long.
type Post func(ctx context.Context, id domain.ConnectionID) error
