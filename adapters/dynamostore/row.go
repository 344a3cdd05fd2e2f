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
	validityAttribute     = "valid_until"
	userAttribute         = "user"
	scopeAttribute        = "scope"
)

// longestLife is longer than API Gateway keeps a connection, and no shorter than what the
// use case of sessions reckons with. A user's connection whose token has expired must be
// found until then, to be closed.
const longestLife = 2*time.Hour + 15*time.Minute

type row struct {
	ID           string  `dynamodbav:"connection_id"`
	RegisteredAt int64   `dynamodbav:"registered_at"`         // ms
	ExpiresAt    int64   `dynamodbav:"expires_at"`            // s, after which DynamoDB may delete the row
	ValidUntil   *int64  `dynamodbav:"valid_until,omitempty"` // s; nil if that is ExpiresAt
	User         string  `dynamodbav:"user,omitempty"`
	Scope        *string `dynamodbav:"scope,omitempty"` // nil for a token without the claim
}

func newRow(c domain.Connection) row {
	r := row{
		ID:           string(c.ID),
		RegisteredAt: c.RegisteredAt.UnixMilli(),
		ExpiresAt:    roundedUp(c.ExpiresAt),
		User:         c.User,
	}
	if claim, ok := c.Scope.Claim(); ok {
		r.Scope = &claim
	}
	return r
}

// newConnectionRow returns the row of a connection, which outlives its token.
func newConnectionRow(c domain.Connection) row {
	r := newRow(c)
	if end := c.RegisteredAt.Add(longestLife); c.User != "" && c.ExpiresAt.Before(end) {
		valid := r.ExpiresAt
		r.ValidUntil, r.ExpiresAt = &valid, roundedUp(end)
	}
	return r
}

func roundedUp(t time.Time) int64 { return t.Add(time.Second - time.Nanosecond).Unix() }

// readRow reads what is readable. The key, whose type DynamoDB enforces, is enough to
// post to a connection, so a single corrupt row must neither stop the scan for everyone
// nor be left out. It counts as old.
func readRow(item map[string]types.AttributeValue) row {
	r := row{
		ID: textOf(item[keyAttribute]), User: textOf(item[userAttribute]),
		RegisteredAt: readNumber(item[registrationAttribute]), ExpiresAt: readNumber(item[expiryAttribute]),
	}
	if _, ok := item[validityAttribute]; ok {
		valid := readNumber(item[validityAttribute]) // 1970, so never, if it is no number
		r.ValidUntil = &valid
	}
	if _, ok := item[scopeAttribute]; ok {
		claim := textOf(item[scopeAttribute]) // empty, which permits nothing, if it is not text
		r.Scope = &claim
	}
	return r
}

// textOf returns "" for anything but a string.
func textOf(value types.AttributeValue) string {
	s, ok := value.(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
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
		User:         r.User,
	}
	if r.ValidUntil != nil {
		c.ExpiresAt = time.Unix(*r.ValidUntil, 0)
	}
	if r.Scope != nil {
		c.Scope = domain.NewScope(*r.Scope)
	}
	if !domain.Plausible(c.RegisteredAt) {
		c.RegisteredAt = time.UnixMilli(0)
	}
	return c
}

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{keyAttribute: text(id)}
}
