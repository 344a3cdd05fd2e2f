package ports

import (
	"context"

	"serverless-websocket/domain"
)

// Conversations keeps the latest messages of each two users, in the order of their ids,
// which is about that in which they were accepted. It drops messages some time after they
// were put.
//
// What holds for the methods of ConnectionStore holds for these: concurrency, contexts,
// retries.
type Conversations interface {
	// Put stores messages in their conversations, which must be Valid, without the numbers
	// that they have in logs. It takes at most domain.MaxPayload bytes of envelope.
	//
	// A message is found again by its id: it is in its conversation once, however often it
	// was put, and may be kept for longer then. After an error some or all of the messages
	// may be stored.
	Put(ctx context.Context, messages []domain.Message) error

	// Before returns the messages of a conversation that are nearest before an id, whether
	// or not that is one of its own, or the newest if it is empty. The oldest comes first.
	// There are at most limit, which is at least 1, and whole ones of about that many bytes
	// of content, at least one if there is any; more says that there are older ones. Every
	// message of which Put had returned before the call is seen, unless it was dropped.
	Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) (messages []domain.Message, more bool, err error)
}
