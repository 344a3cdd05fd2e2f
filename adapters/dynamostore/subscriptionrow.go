package dynamostore

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes of the key; the tags of rowKey must agree.
const (
	channelAttribute = "channel"
	memberAttribute  = "member"
)

const (
	// listMember stands for a member in the row with the connection.
	listMember = "channels"
	// listAttribute is the set of channels in that row. DynamoDB has no empty sets.
	listAttribute = "channels"
)

// rowKey is the key of a row.
type rowKey struct {
	Channel string `dynamodbav:"channel"`
	Member  string `dynamodbav:"member"`
}

func (k rowKey) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{channelAttribute: text(k.Channel), memberAttribute: text(k.Member)}
}

// subscriptionRow is a row with the channel.
type subscriptionRow struct {
	rowKey
	row
}

func keyOfChannel(s domain.Subscription) rowKey {
	return rowKey{s.To.String(), domain.Place(s.Connection.User) + string(s.Connection.ID)}
}

// keyOfConnection has what stands for a channel in the row with the connection. No
// recipients are written like that.
func keyOfConnection(id domain.ConnectionID) rowKey {
	return rowKey{"connection:" + string(id), listMember}
}

// subscriptionsIn reads the row with a connection. It may be empty.
func subscriptionsIn(item map[string]types.AttributeValue) (found []domain.Subscription) {
	set, ok := item[listAttribute].(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	c := readRow(item).connection()
	for _, channel := range slices.Sorted(slices.Values(set.Value)) {
		if to, err := domain.ParseRecipients(channel); err == nil {
			found = append(found, domain.Subscription{To: to, Connection: c})
		}
	}
	return found
}
