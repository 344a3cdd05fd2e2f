package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
)

// MaxPayload is the largest WebSocket message to a client, in bytes: API Gateway's
// limit for a message and for a post to @connections.
const MaxPayload = 128 << 10

const (
	envelopeHead = `{"messages":[`
	messagesTail = `]`
	channelKey   = `,"channel":`
	epochKey     = `,"epoch":"`
	epochTail    = `"`
	envelopeTail = `}`
	contentKey   = `{"content":`
	idKey        = `,"id":"`
	idTail       = `"`
	seqKey       = `,"seq":`
	sentAtKey    = `,"sentAt":"`
	timeTail     = `"`
	senderKey    = `,"sender":`
	toKey        = `,"to":`
	messageTail  = `}`
	// sentAtLayout is RFC 3339 in UTC with milliseconds.
	sentAtLayout = "2006-01-02T15:04:05.000Z"
)

// Envelope is one frame for clients and the messages in it: {"messages":[…]}. Unless they
// are for everyone, or when they are in a log, "channel" follows: "user" for messages to or
// from the user whose connection gets them, "room:NAME" for those of a room, or "everyone".
// Messages in a log have "seq", and the envelope has their "epoch".
type Envelope struct {
	Messages []Message
	Payload  []byte
}

// MaxLogged is the largest envelope of a message that is to be logged, in bytes, before it
// has a number: it must fit into an answer with what that says of other channels.
const MaxLogged = 96 << 10

// Pack puts the messages, in the order given, into as few envelopes as possible whose
// payloads are at most limit bytes long. A message that is too long gets an envelope
// of its own. The epoch is that of their numbers, and empty without.
func Pack(to Recipients, epoch Epoch, messages []Message, limit int) (envelopes []Envelope) {
	tail := tailFor(to, epoch)
	for some, size := range Divide(to, epoch, messages, limit) {
		envelopes = append(envelopes, seal(some, tail, size))
	}
	return envelopes
}

// Divide yields the messages of each envelope that Pack would make, and the length of its
// payload.
func Divide(to Recipients, epoch Epoch, messages []Message, limit int) iter.Seq2[[]Message, int] {
	return func(yield func([]Message, int) bool) {
		for start := 0; start < len(messages); {
			end := start + 1
			size := EnvelopeSize(to, epoch, messages[start])
			for end < len(messages) {
				grown := size + len(",") + messageSize(messages[end])
				if grown > limit {
					break
				}
				size, end = grown, end+1
			}
			if !yield(messages[start:end], size) {
				return
			}
			start = end
		}
	}
}

// EnvelopeSize returns the length in bytes of an envelope that holds m alone.
func EnvelopeSize(to Recipients, epoch Epoch, m Message) int {
	return len(envelopeHead) + messageSize(m) + len(tailFor(to, epoch))
}

// tailFor returns what follows the messages in an envelope.
func tailFor(to Recipients, epoch Epoch) string {
	tail := messagesTail
	if to.Kind != Everyone || epoch != "" {
		tail += channelKey + string(quoted(ChannelName(to)))
	}
	if epoch != "" {
		tail += epochKey + string(epoch) + epochTail
	}
	return tail + envelopeTail
}

// ChannelName returns what clients call the channel of the recipients: "everyone", "user"
// for their own user, or "room:NAME".
func ChannelName(to Recipients) string {
	if to.Kind == User {
		return userChannel
	}
	return to.String()
}

const userChannel = "user"

// ParseChannel reads what ChannelName returned to a client of the user, who is empty if
// not signed in: for such a client the recipients of "user" are not Valid. The error is an
// *Error with code InvalidPosition.
func ParseChannel(name, user string) (Recipients, error) {
	if name == userChannel {
		return ToUser(user), nil
	}
	to, err := ParseRecipients(name)
	if err != nil || to.Kind == User {
		return Recipients{}, &Error{Code: InvalidPosition, Cause: fmt.Errorf("channel %.40q", name)}
	}
	return to, nil
}

func messageSize(m Message) int {
	size := len(contentKey) + len(m.Content) + len(idKey) + len(m.ID) + len(idTail) + len(sentAtKey) + len(sentAtLayout) + len(timeTail) + len(messageTail)
	if m.Seq != 0 {
		size += len(seqKey) + len(strconv.FormatInt(m.Seq, 10))
	}
	if m.Sender != "" {
		size += len(senderKey) + len(quoted(m.Sender))
	}
	if m.To != "" {
		size += len(toKey) + len(quoted(m.To))
	}
	return size
}

// quoted returns text as a JSON string.
func quoted(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimRight(b.Bytes(), "\n")
}

func seal(messages []Message, tail string, size int) Envelope {
	payload := append(make([]byte, 0, size), envelopeHead...)
	for i, m := range messages {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = m.AppendJSON(payload)
	}
	return Envelope{Messages: messages, Payload: append(payload, tail...)}
}

// AppendJSON appends the message as clients get it. It writes by hand: encoding/json would
// compact and HTML-escape the content, which must stay byte for byte the same.
func (m Message) AppendJSON(to []byte) []byte {
	to = append(to, contentKey...)
	to = append(to, m.Content...)
	to = append(to, idKey...)
	to = append(to, m.ID...)
	to = append(to, idTail...)
	if m.Seq != 0 {
		to = append(to, seqKey...)
		to = strconv.AppendInt(to, m.Seq, 10)
	}
	to = append(to, sentAtKey...)
	to = m.SentAt.UTC().AppendFormat(to, sentAtLayout)
	to = append(to, timeTail...)
	if m.Sender != "" {
		to = append(to, senderKey...)
		to = append(to, quoted(m.Sender)...)
	}
	if m.To != "" {
		to = append(to, toKey...)
		to = append(to, quoted(m.To)...)
	}
	return append(to, messageTail...)
}
