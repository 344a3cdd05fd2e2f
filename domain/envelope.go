package domain

import (
	"bytes"
	"encoding/json"
)

// MaxPayload is the largest WebSocket message to a client, in bytes: API Gateway's
// limit for a message and for a post to @connections.
const MaxPayload = 128 << 10

const (
	envelopeHead = `{"messages":[`
	messagesTail = `]`
	channelKey   = `,"channel":`
	envelopeTail = `}`
	contentKey   = `{"content":`
	idKey        = `,"id":"`
	sentAtKey    = `","sentAt":"`
	timeTail     = `"`
	senderKey    = `,"sender":`
	toKey        = `,"to":`
	messageTail  = `}`
	// sentAtLayout is RFC 3339 in UTC with milliseconds.
	sentAtLayout = "2006-01-02T15:04:05.000Z"
)

// Envelope is one frame for clients and the messages in it: {"messages":[…]}, and unless
// they are for everyone "channel" after them: "user" for messages to or from the user
// whose connection gets them, "room:NAME" for those of a room.
type Envelope struct {
	Messages []Message
	Payload  []byte
}

// Pack puts the messages, in the order given, into as few envelopes as possible whose
// payloads are at most limit bytes long. A message that is too long gets an envelope
// of its own.
func Pack(to Recipients, messages []Message, limit int) []Envelope {
	var envelopes []Envelope
	tail := tailFor(to)
	for start := 0; start < len(messages); {
		end := start + 1
		size := EnvelopeSize(to, messages[start])
		for end < len(messages) {
			grown := size + len(",") + messageSize(messages[end])
			if grown > limit {
				break
			}
			size, end = grown, end+1
		}
		envelopes = append(envelopes, seal(messages[start:end], tail, size))
		start = end
	}
	return envelopes
}

// EnvelopeSize returns the length in bytes of an envelope that holds m alone.
func EnvelopeSize(to Recipients, m Message) int {
	return len(envelopeHead) + messageSize(m) + len(tailFor(to))
}

// tailFor returns what follows the messages in an envelope.
func tailFor(to Recipients) string {
	switch to.Kind {
	case User:
		return messagesTail + channelKey + `"user"` + envelopeTail
	case Room:
		return messagesTail + channelKey + string(quoted(to.String())) + envelopeTail
	}
	return messagesTail + envelopeTail
}

func messageSize(m Message) int {
	size := len(contentKey) + len(m.Content) + len(idKey) + len(m.ID) + len(sentAtKey) + len(sentAtLayout) + len(timeTail) + len(messageTail)
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

// seal writes the JSON by hand: encoding/json would compact and HTML-escape the
// content, which must stay byte for byte the same.
func seal(messages []Message, tail string, size int) Envelope {
	payload := append(make([]byte, 0, size), envelopeHead...)
	for i, m := range messages {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = append(payload, contentKey...)
		payload = append(payload, m.Content...)
		payload = append(payload, idKey...)
		payload = append(payload, m.ID...)
		payload = append(payload, sentAtKey...)
		payload = m.SentAt.UTC().AppendFormat(payload, sentAtLayout)
		payload = append(payload, timeTail...)
		if m.Sender != "" {
			payload = append(payload, senderKey...)
			payload = append(payload, quoted(m.Sender)...)
		}
		if m.To != "" {
			payload = append(payload, toKey...)
			payload = append(payload, quoted(m.To)...)
		}
		payload = append(payload, messageTail...)
	}
	return Envelope{Messages: messages, Payload: append(payload, tail...)}
}
