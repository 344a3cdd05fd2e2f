package dynamostore

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes that the code names; the tags of row must agree.
const (
	keyAttribute    = "connection_id"
	expiryAttribute = "expires_at"
)

type row struct {
	ID           string `dynamodbav:"connection_id"`
	RegisteredAt int64  `dynamodbav:"registered_at"` // ms
	ExpiresAt    int64  `dynamodbav:"expires_at"`    // s
}

func newRow(c domain.Connection) row {
	return row{
		ID:           string(c.ID),
		RegisteredAt: c.RegisteredAt.UnixMilli(),
		ExpiresAt:    c.ExpiresAt.Add(time.Second - time.Nanosecond).Unix(),
	}
}

func (r row) connection() domain.Connection {
	return domain.Connection{
		ID:           domain.ConnectionID(r.ID),
		RegisteredAt: time.UnixMilli(r.RegisteredAt),
		ExpiresAt:    time.Unix(r.ExpiresAt, 0),
	}
}

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{keyAttribute: &types.AttributeValueMemberS{Value: id}}
}
