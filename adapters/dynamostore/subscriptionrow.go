package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes of the key; the tags of rowKey must agree.
const (
	channelAttribute = "channel"
	memberAttribute  = "member"
)

// rowKey is the key of a subscription's row.
type rowKey struct {
	Channel string `dynamodbav:"channel"`
	Member  string `dynamodbav:"member"`
}

func (k rowKey) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{channelAttribute: text(k.Channel), memberAttribute: text(k.Member)}
}

type subscriptionRow struct {
	rowKey
	row
}

func keyOfChannel(s domain.Subscription) rowKey {
	return rowKey{s.To.String(), domain.Place(s.Connection.User) + string(s.Connection.ID)}
}

func keyOfConnection(s domain.Subscription) rowKey {
	return rowKey{connectionChannel(s.Connection.ID), s.To.String()}
}

// connectionChannel is what stands for a channel in the row with the connection. No
// recipients are written like that.
func connectionChannel(id domain.ConnectionID) string { return "connection:" + string(id) }
