package wire

import (
	"encoding/json"
	"strconv"
)

// serverMessage is anything that the service, or the gateway itself, sends.
type serverMessage struct {
	// The members of a message are in a map because encoding/json takes
	// "Content" for a field named content.
	Messages *[]map[string]json.RawMessage
	Accepted *struct{ Ref string }
	Error    *struct{ Code, Ref string }
	Message  string // from the gateway: the handler crashed, or there is none
}

// decode is Scan for a message of any form.
func (c *Codec) decode(b *Batch, message []byte) {
	var m serverMessage
	if json.Unmarshal(message, &m) != nil {
		b.Unreadable++
		return
	}
	switch {
	case m.Messages != nil:
		b.Frames++
		for _, one := range *m.Messages {
			c.decodeContent(b, one["content"])
		}
	case m.Accepted != nil:
		b.Replies = append(b.Replies, Reply{N: number(m.Accepted.Ref), Accepted: true})
	case m.Error != nil:
		b.Replies = append(b.Replies, Reply{N: number(m.Error.Ref), Code: m.Error.Code})
	case m.Message != "":
		b.Replies = append(b.Replies, Reply{N: NoNumber, Code: m.Message})
	default:
		b.Unreadable++
	}
}

// decodeContent classifies a message: the run's own and intact, its own but altered, or
// someone else's.
func (c *Codec) decodeContent(b *Batch, raw json.RawMessage) {
	var content struct {
		Run, Pad  string
		N         *int
		Due, Sent *int64
	}
	err := json.Unmarshal(raw, &content)
	if content.Run != c.run {
		b.Foreign++
		return
	}
	if err != nil || content.N == nil || *content.N < 0 || content.Due == nil || content.Sent == nil {
		b.Damaged++
		return
	}
	s := Stamp{N: *content.N, Due: *content.Due, Sent: *content.Sent}
	if head := c.appendHead(nil, s); content.Pad != string(c.padding(len(head))) {
		b.Damaged++
		return
	}
	b.Stamps = append(b.Stamps, s)
}

func number(ref string) int {
	n, err := strconv.Atoi(ref)
	if err != nil || n < 0 {
		return NoNumber
	}
	return n
}
