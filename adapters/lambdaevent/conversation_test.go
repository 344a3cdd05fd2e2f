package lambdaevent_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
)

// strange is content that decoding and encoding would change.
const strange = `[ "<&\u2028 \/" ]`

// conversations has one: that of alice and <bob>.
type conversations struct {
	messages []domain.Message
	err      error
}

func newConversations() *conversations {
	c := &conversations{}
	for i, content := range []string{`1`, strange, `"<x>"`} {
		m := domain.Message{
			ID: domain.MessageID("01K4ZQ0000000000000000000" + string(rune('A'+i))), SentAt: time.Unix(1795338000, 0),
			Sender: "alice", To: "<bob>", Content: domain.Content(content),
		}
		if i == 1 {
			m.Sender, m.To = m.To, m.Sender
		}
		c.messages = append(c.messages, m)
	}
	return c
}

func (c *conversations) Put(context.Context, []domain.Message) error {
	return errors.New("not for handlers")
}

func (c *conversations) Before(_ context.Context, of domain.Conversation, id domain.MessageID, limit, _ int) ([]domain.Message, bool, error) {
	var found []domain.Message
	for _, m := range c.messages {
		if m.Conversation() == of && (id == "" || m.ID < id) {
			found = append(found, m)
		}
	}
	more := len(found) > limit
	return found[max(0, len(found)-limit):], more, c.err
}

func TestConversationFrames(t *testing.T) {
	const first = `{"loaded":{"messages":[{"content":1,"id":"01K4ZQ0000000000000000000A","sentAt":"2026-11-22T09:00:00.000Z","sender":"alice","to":"<bob>"}`
	for _, test := range []struct {
		body   string
		status int
		reply  string
	}{
		{`{"with":"<bob>"}`, 200, first + `,{"content":` + strange + `,"id":"01K4ZQ0000000000000000000B","sentAt":"2026-11-22T09:00:00.000Z","sender":"<bob>","to":"alice"},`},
		{`{"with":"<bob>"}`, 200, `"sender":"alice","to":"<bob>"}],"position":"01K4ZQ0000000000000000000C"}}`},
		{`{"with":"\u003cbob>","limit":1,"ref":"<r>"}`, 200, `"position":"01K4ZQ0000000000000000000C","more":true,"ref":"<r>"}}`},
		{`{"with":"<bob>","before":"01K4ZQ0000000000000000000B","x":1}`, 200, first + `],"position":"01K4ZQ0000000000000000000A"}}`},
		{`{"with":"<bob>","before":"01K4ZQ0000000000000000000A"}`, 200, `{"loaded":{"messages":[]}}`},
		{`{"with":"alice","ref":"r"}`, 200, `{"loaded":{"messages":[],"ref":"r"}}`},
		{`{"with":"carol"}`, 200, `{"loaded":{"messages":[]}}`},
		{`{"with":7}`, 400, `"code":"invalid_recipient"`},
		{`{"with":null}`, 400, `"code":"invalid_recipient"`},
		{`{"with":""}`, 400, `"code":"invalid_recipient"`},
		{`{"with":"\ud800"}`, 400, `"code":"invalid_recipient"`},
		{`{"with":"` + strings.Repeat("x", 257) + `"}`, 400, `"code":"invalid_recipient"`},
		{`{"with":"<bob>","room":"goals","ref":"r"}`, 400, `"ref":"r"}}`},
		{`{"with":"<bob>","room":"goals"}`, 400, `"code":"invalid_recipient"`},
		{`{"with":"<bob>","room":null}`, 400, `"code":"invalid_recipient"`},
		{`{"with":"<bob>","limit":101}`, 400, `"code":"invalid_page"`},
		{`{"with":"<bob>","limit":null}`, 400, `"code":"invalid_page"`},
		{`{"with":"<bob>","before":""}`, 400, `"code":"invalid_position"`},
		{`{"with":"<bob>","before":null}`, 400, `"code":"invalid_position"`},
		{`{"with":"<bob>","before":7}`, 400, `"code":"invalid_position"`},
		{`{"with":"<bob>","before":"k3.3"}`, 400, `"code":"invalid_position"`},
		{`{"with":"<bob>","before":"01k4zq0000000000000000000b"}`, 400, `"code":"invalid_position"`},
		{`{"before":"01K4ZQ0000000000000000000B"}`, 400, `"code":"invalid_position"`},
	} {
		f := newFunctions()
		response := f.request(t, "loadMessages", test.body)
		if response.StatusCode != test.status || !strings.Contains(response.Body, test.reply) || !json.Valid([]byte(response.Body)) {
			t.Errorf("%.100s: %d %s, want %s", test.body, response.StatusCode, response.Body, test.reply)
		}
		if log := f.log.String(); strings.Contains(log, `"ERROR"`) {
			t.Errorf("%.100s: logged %s", test.body, log)
		}
	}
}

func TestAConversationWithoutAUser(t *testing.T) {
	f := newFunctions()
	event := message(`{"with":"<bob>"}`)
	event.RequestContext.RouteKey = "loadMessages"
	response, err := f.useCases.Routes()["loadMessages"].Handler(t.Context(), event)
	if err != nil || response.StatusCode != 401 || !strings.Contains(response.Body, `"code":"unauthenticated"`) {
		t.Errorf("%d %s, %v", response.StatusCode, response.Body, err)
	}
}

func TestConversationsThatAreDownOrNotKept(t *testing.T) {
	f := newFunctions()
	f.conversations.err = errors.New("arn:aws:dynamodb:secret")
	if response := f.request(t, "loadMessages", `{"with":"<bob>"}`); response.StatusCode != 503 || strings.Contains(response.Body, "secret") {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
	f = newFunctions()
	f.useCases.Past.Conversations = nil
	if response := f.request(t, "loadMessages", `{"with":"<bob>"}`); response.StatusCode != 404 || !strings.Contains(response.Body, `"code":"no_history"`) {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}
