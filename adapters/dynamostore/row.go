package dynamostore

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes that the code names; the tags of row must agree.
const (
	keyAttribute          = "connection_id"
	registrationAttribute = "registered_at"
	expiryAttribute       = "expires_at"
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

// readRow reads what is readable. The key, whose type DynamoDB enforces, is enough to
// post to a connection, so a single corrupt row must neither stop the scan for everyone
// nor be left out. It counts as old.
func readRow(item map[string]types.AttributeValue) row {
	var id string
	if s, ok := item[keyAttribute].(*types.AttributeValueMemberS); ok {
		id = s.Value
	}
	return row{ID: id, RegisteredAt: readNumber(item[registrationAttribute]), ExpiresAt: readNumber(item[expiryAttribute])}
}

// readNumber returns 0 for anything but a whole number.
func readNumber(value types.AttributeValue) int64 {
	n, ok := value.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0
	}
	return i
}

// connection returns the row's connection. An impossible registration time, such as one
// in seconds or microseconds, becomes 1970.
func (r row) connection() domain.Connection {
	c := domain.Connection{
		ID:           domain.ConnectionID(r.ID),
		RegisteredAt: time.UnixMilli(r.RegisteredAt),
		ExpiresAt:    time.Unix(r.ExpiresAt, 0),
	}
	if !domain.Plausible(c.RegisteredAt) {
		c.RegisteredAt = time.UnixMilli(0)
	}
	return c
}

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{keyAttribute: &types.AttributeValueMemberS{Value: id}}
}
