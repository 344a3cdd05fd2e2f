package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Scan reads one page with strong consistency: it must find every connection stored
// before, and an eventually consistent read may miss the newest ones. That costs twice
// the read units, one for each 4 KB read, expired rows included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
func (s *Store) Scan(ctx context.Context, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	input, err := s.scanInput(segment, from)
	if err != nil {
		return ports.Page{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	out, err := s.client.Scan(ctx, input)
	if err != nil {
		return ports.Page{}, pageError(err, from)
	}
	page := newPage(out.Items, textOf(out.LastEvaluatedKey[keyAttribute]), segment)
	page.Connections = slices.DeleteFunc(page.Connections, func(c domain.Connection) bool {
		expired := c.User != "" && c.Expired(time.Now())
		if expired {
			page.Expired = append(page.Expired, c.ID)
		}
		return expired
	})
	return page, nil
}

func (s *Store) scanInput(segment domain.Segment, from domain.Cursor) (*dynamodb.ScanInput, error) {
	last, err := startOf(segment, from)
	if err != nil {
		return nil, err
	}
	expr, err := expression.NewBuilder().WithFilter(unexpired(time.Now()).Or(expression.Name(userAttribute).AttributeExists())).Build()
	if err != nil {
		return nil, fmt.Errorf("scan filter: %w", err)
	}
	input := &dynamodb.ScanInput{
		TableName:                 &s.name,
		ConsistentRead:            aws.Bool(true),
		FilterExpression:          expr.Filter(),
		ExpressionAttributeNames:  expr.Names(),
		ExpressionAttributeValues: expr.Values(),
	}
	if s.opts.PageSize > 0 {
		input.Limit = &s.opts.PageSize
	}
	if !segment.Whole() {
		input.Segment = aws.Int32(int32(segment.Index))
		input.TotalSegments = aws.Int32(int32(segment.Total))
	}
	if last != "" {
		input.ExclusiveStartKey = key(last)
	}
	return input, nil
}

// startOf returns the last key that was read, empty at the start of the segment.
func startOf(segment domain.Segment, from domain.Cursor) (last string, err error) {
	if !segment.Valid() {
		return "", fmt.Errorf("segment %d of %d: %w", segment.Index, segment.Total, ports.ErrBadCursor)
	}
	if from == "" {
		return "", nil
	}
	return decodeCursor(from, segment)
}

// unexpired also accepts rows without a readable expiry: they are pruned once their
// connections answer that they are gone.
func unexpired(now time.Time) expression.ConditionBuilder {
	expiry := expression.Name(expiryAttribute)
	return expiry.GreaterThan(expression.Value(now.Unix())).
		Or(expression.Not(expiry.AttributeType(expression.Number)))
}

// pageError distinguishes a refused start key from other failures. DynamoDB has no error
// type for it, but nothing else in the request varies, except the number of segments,
// whose cursor would be just as bad.
func pageError(err error, from domain.Cursor) error {
	var refusal smithy.APIError
	if from != "" && errors.As(err, &refusal) && refusal.ErrorCode() == "ValidationException" {
		return fmt.Errorf("read a page from %s: %w: %w", from, ports.ErrBadCursor, err)
	}
	return fmt.Errorf("read a page: %w", err)
}

// newPage returns the page of these rows, of which last was the last one read if there
// are more.
func newPage(items []map[string]types.AttributeValue, last string, segment domain.Segment) ports.Page {
	page := ports.Page{Connections: make([]domain.Connection, 0, len(items))}
	for _, item := range items {
		if c := readRow(item).connection(); c.ID.Valid() {
			page.Connections = append(page.Connections, c)
		}
	}
	if last != "" {
		page.Next = encodeCursor(last, segment)
	}
	return page
}
