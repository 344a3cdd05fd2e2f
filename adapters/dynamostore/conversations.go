package dynamostore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// Conversations is a ports.Conversations. Each message is a row, whose key is its
// conversation and its id: to put it again has no effect but on its expiry.
type Conversations struct {
	table
	retention time.Duration
	now       func() time.Time
}

// NewConversations returns the conversations in the table of conversations; see New.
func NewConversations(client *dynamodb.Client, table string, opts LogOptions) *Conversations {
	return &Conversations{
		table: newTable(client, table, opts.Options), retention: cmp.Or(opts.Retention, defaultRetention), now: time.Now,
	}
}

// Put writes the rows in sequential batches, each with its own time limit. A message costs
// a write unit for each KB.
func (c *Conversations) Put(ctx context.Context, messages []domain.Message) error {
	requests, known := make([]types.WriteRequest, 0, len(messages)), make(map[domain.MessageID]bool, len(messages))
	for _, m := range messages {
		if known[m.ID] { // DynamoDB would refuse the batch
			continue
		}
		known[m.ID] = true
		item, err := attributevalue.MarshalMap(newConversationRow(m, c.now().Add(c.retention)))
		if err != nil {
			return fmt.Errorf("encode message %s: %w", m.ID, err)
		}
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
	}
	for batch := range slices.Chunk(requests, maxBatch) {
		if err := c.writeAll(ctx, batch); err != nil {
			return fmt.Errorf("put %d of %d messages: %w", len(batch), len(requests), err)
		}
	}
	return nil
}

// Before reads back with strong consistency, over rows that have expired and are not yet
// deleted, until it knows whether there is more.
func (c *Conversations) Before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit, size int) (
	messages []domain.Message, more bool, err error) {
	p := page{limit: limit, size: size, now: c.now()}
	for last := (map[string]types.AttributeValue)(nil); !p.more; {
		out, err := c.before(ctx, of, id, int32(min(limit, pageRows-1)+1), last)
		if err == nil {
			err = p.take(out.Items)
		}
		if err != nil {
			return nil, false, fmt.Errorf("conversation %.40q before %q: %w", of, id, err)
		}
		if last = out.LastEvaluatedKey; last == nil {
			break
		}
	}
	slices.Reverse(p.messages)
	return p.messages, p.more, nil
}

// before reads rows backwards, after the key of one unless that is nil.
func (c *Conversations) before(ctx context.Context, of domain.Conversation, id domain.MessageID, limit int32, after map[string]types.AttributeValue) (
	*dynamodb.QueryOutput, error) {
	keys := expression.Key(conversationAttribute).Equal(expression.Value(of.String()))
	if id != "" {
		keys = keys.And(expression.Key(idAttribute).LessThan(expression.Value(string(id))))
	}
	expr, err := expression.NewBuilder().WithKeyCondition(keys).Build()
	if err != nil {
		return nil, err
	}
	if size := c.opts.PageSize; size > 0 {
		limit = min(limit, size)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	return c.client.Query(ctx, &dynamodb.QueryInput{
		TableName: &c.name, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: expr.KeyCondition(), Limit: &limit, ExclusiveStartKey: after,
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	})
}

// page is what a Before returns, as it is read: newest message first.
type page struct {
	limit, size int
	now         time.Time
	messages    []domain.Message
	more        bool
}

// take adds what rows have until the page is full.
func (p *page) take(items []map[string]types.AttributeValue) error {
	for _, item := range items {
		row, err := readConversationRow(item)
		if err != nil {
			return err
		}
		if row.expired(p.now) {
			continue
		}
		if n := len(p.messages); n == p.limit || n > 0 && len(row.message.Content) > p.size {
			p.more = true
			return nil
		}
		p.messages = append(p.messages, row.message)
		p.size -= len(row.message.Content)
	}
	return nil
}
