package dynamostore

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes of a conversation's row that the code names; the tags of conversationRow
// must agree.
const (
	conversationAttribute = "conversation"
	idAttribute           = "id"
	messageAttribute      = "message"
)

// conversationRow is a message between two users. It can be deleted as soon as it has
// expired: nothing rests on it.
type conversationRow struct {
	Conversation string `dynamodbav:"conversation"`
	ID           string `dynamodbav:"id"`
	Body         []byte `dynamodbav:"message"`    // as a log encodes several
	ExpiresAt    int64  `dynamodbav:"expires_at"` // s

	message domain.Message // in Body
}

func newConversationRow(m domain.Message, expires time.Time) conversationRow {
	return conversationRow{
		Conversation: m.Conversation().String(), ID: string(m.ID), Body: encodeMessages([]domain.Message{m}),
		ExpiresAt: roundedUp(expires),
	}
}

func (r conversationRow) expired(now time.Time) bool { return now.Unix() >= r.ExpiresAt }

// readConversationRow returns what newConversationRow made. Anything else is an error: a
// message must not be left out in silence, or be shown to others than its users.
func readConversationRow(item map[string]types.AttributeValue) (conversationRow, error) {
	r := conversationRow{
		Conversation: textOf(item[conversationAttribute]), ID: textOf(item[idAttribute]), ExpiresAt: readNumber(item[expiryAttribute]),
	}
	body, _ := item[messageAttribute].(*types.AttributeValueMemberB)
	if body == nil || r.ExpiresAt < 1 {
		return r, fmt.Errorf("row %.40q: no message, or no expiry", r.ID)
	}
	messages, err := decodeMessages(body.Value)
	switch {
	case err != nil:
		return r, fmt.Errorf("row %.40q: %w", r.ID, err)
	case len(messages) != 1 || string(messages[0].ID) != r.ID || messages[0].Conversation().String() != r.Conversation:
		return r, fmt.Errorf("row %.40q: %d messages, or one that belongs elsewhere", r.ID, len(messages))
	}
	r.message = messages[0]
	return r, nil
}
