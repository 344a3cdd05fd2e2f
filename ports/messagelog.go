package ports

import (
	"context"

	"serverless-websocket/domain"
)

// MessageLog keeps the latest messages of each channel, which is everyone, a user or a
// room, under consecutive numbers. It drops messages some time after they were appended,
// the oldest first. The numbers of an epoch are never used twice; an epoch ends when all
// messages have been dropped, or the log was lost.
//
// What holds for the methods of ConnectionStore holds for these: concurrency, contexts,
// retries.
type MessageLog interface {
	// Append adds messages to the end of the channel's log, one after the other with
	// nothing between them, and returns an entry for each. It takes at most
	// domain.MaxPayload bytes of envelope, without duplicates.
	//
	// A message that was appended before, by a call whose answer was lost or by another
	// process, is found by its id, and gets the position it has; the rest is appended. The
	// search goes by what a call meets at the end of the log and, with again, back to when
	// the oldest of the messages was accepted, within a bound.
	//
	// Of a message and its repeats, see domain.Message.RepeatOf, the log takes one, whether
	// they come in one call or in several at once. The search for a message with a ref goes
	// back to when it was accepted, and for one with Again by domain.RepeatWindow further,
	// within the same bound.
	//
	// After an error some or all of the messages may have been appended.
	Append(ctx context.Context, to domain.Recipients, messages []domain.Message, again bool) ([]Entry, error)

	// End returns the position of the newest message or, if none is kept, a place with
	// number 0 that After takes for almost a day at least, unless it drops messages earlier.
	End(ctx context.Context, to domain.Recipients) (domain.Position, error)

	// After returns the messages that follow a position: whole messages of about that many
	// bytes of content, at least one if there is any. Every message of which Append had
	// returned before the call is seen.
	//
	// The errors are ErrExpired when a message after the position may have been dropped,
	// and ErrReset for a position of another epoch or log, or after the end.
	After(ctx context.Context, to domain.Recipients, position domain.Position, size int) (Stretch, error)

	// Before returns the messages nearest before a position, or the newest if it is zero:
	// at most limit, which is at least 1, and whole ones of about that many bytes of
	// content, at least one if there is any. There may be fewer: those that are kept, follow
	// each other and are of the position's epoch.
	Before(ctx context.Context, to domain.Recipients, position domain.Position, limit, size int) (Stretch, error)
}

// Entry says where a message is in the log.
type Entry struct {
	domain.Position
	// RepeatOf is the id of the message, in the log or in the same call, of which this one is
	// a repeat; empty if it is none. A repeat is not in the log and has no position.
	RepeatOf domain.MessageID
}

// Stretch is a part of a channel's log without holes, oldest message first.
type Stretch struct {
	Epoch    domain.Epoch // empty without messages
	Messages []domain.Message
	// Position, of After alone, is where to go on: at the last message or, without any,
	// after the position that was asked for.
	Position domain.Position
	// More says that there are messages beyond, in the direction of reading.
	More bool
}
