package lambdaevent

import (
	"encoding/json"
	"strings"

	"serverless-websocket/domain"
	"serverless-websocket/domain/session"
)

// channelReply is what an answer says of a channel before its messages.
type channelReply struct {
	Error     *refusalReply `json:"error,omitempty"`
	Recovered *bool         `json:"recovered,omitempty"`
	Reason    session.Loss  `json:"reason,omitempty"`
	Position  string        `json:"position,omitempty"`
	End       string        `json:"end,omitempty"`
	More      bool          `json:"more,omitempty"`
}

type refusalReply struct {
	Code    domain.Code `json:"code"`
	Message string      `json:"message"`
}

// pageReply is what an answer says of a page after its messages.
type pageReply struct {
	Position string          `json:"position,omitempty"`
	More     bool            `json:"more,omitempty"`
	Ref      json.RawMessage `json:"ref,omitempty"`
}

// resumed writes the answer by hand, as domain.Message.AppendJSON does: encoding/json
// would change the messages.
func resumed(all []session.Resumed, ref json.RawMessage) string {
	b := []byte(`{"resumed":{`)
	for i, one := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, marshal(domain.ChannelName(one.To))...)
		b = append(b, ':')
		b = appendChannel(b, one)
	}
	b = append(b, '}')
	if ref != nil {
		b = append(b, `,"ref":`...)
		b = append(b, ref...)
	}
	return string(append(b, '}'))
}

func appendChannel(to []byte, one session.Resumed) []byte {
	if one.Refused != nil {
		return append(to, marshal(channelReply{Error: &refusalReply{one.Refused.Code, one.Refused.Message()}})...)
	}
	reply := channelReply{Reason: one.Lost, Position: one.Position.String(), End: one.End.String(), More: one.More}
	if !one.Asked {
		return append(to, marshal(reply)...)
	}
	recovered := one.Lost == ""
	reply.Recovered = &recovered
	if !recovered {
		return append(to, marshal(reply)...)
	}
	to = append(to, strings.TrimSuffix(marshal(reply), "}")...)
	to = append(to, ',')
	return append(appendMessages(to, one.Messages), '}')
}

func loaded(page session.Page, ref json.RawMessage) string {
	return appendPage(page, pageReply{page.Position.String(), page.More, ref})
}

// loadedConversation is loaded for a conversation, in which a position is a message's id.
func loadedConversation(page session.Page, ref json.RawMessage) string {
	reply := pageReply{More: page.More, Ref: ref}
	if n := len(page.Messages); n > 0 {
		reply.Position = string(page.Messages[n-1].ID)
	}
	return appendPage(page, reply)
}

func appendPage(page session.Page, after pageReply) string {
	b := appendMessages([]byte(`{"loaded":{`), page.Messages)
	if rest := strings.TrimPrefix(marshal(after), "{"); rest != "}" {
		b = append(append(b, ','), strings.TrimSuffix(rest, "}")...)
	}
	return string(append(b, "}}"...))
}

// appendMessages appends the member that holds the messages.
func appendMessages(to []byte, messages []domain.Message) []byte {
	to = append(to, `"messages":[`...)
	for i, m := range messages {
		if i > 0 {
			to = append(to, ',')
		}
		to = m.AppendJSON(to)
	}
	return append(to, ']')
}
