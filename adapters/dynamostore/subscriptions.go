package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxClearing is how many connections a Clear asks at once for their subscriptions.
	maxClearing = 64
	// maxExtending is how many subscriptions an Extend writes at once.
	maxExtending = 10
)

// Subscriptions is a ports.SubscriptionStore.
//
// All rows of a channel are in one partition, which takes 1,000 writes a second, or half
// as many in transactions, and serves 3,000 reads of 4 KB. Above that DynamoDB throttles,
// and calls take longer or fail.
type Subscriptions struct {
	table
	connections string // the table of connections
}

// NewSubscriptions returns a store on the table of subscriptions, which looks at rows of
// the table of connections; see New.
func NewSubscriptions(client *dynamodb.Client, table, connections string, opts Options) *Subscriptions {
	return &Subscriptions{newTable(client, table, opts), connections}
}

// Subscribe writes both rows in one transaction with a look at the connection's.
func (s *Subscriptions) Subscribe(ctx context.Context, sub domain.Subscription, most int) error {
	check, err := s.checkToken(sub.Connection)
	if err != nil {
		return err
	}
	add, err := s.addChannel(sub, most)
	if err != nil {
		return err
	}
	item, err := attributevalue.MarshalMap(subscriptionRow{keyOfChannel(sub), newRow(sub.Connection)})
	if err != nil {
		return err
	}
	err = transact(ctx, s.table, types.TransactWriteItem{ConditionCheck: check}, types.TransactWriteItem{Update: add},
		types.TransactWriteItem{Put: &types.Put{TableName: &s.name, Item: item}})
	switch {
	case err == nil:
		return nil
	case conditionFailed(err, 0):
		err = ports.ErrNotFound
	case conditionFailed(err, 1):
		err = ports.ErrTooMany
	}
	return fmt.Errorf("subscribe %s to %s: %w", sub.Connection.ID, sub.To, err)
}

// Extend replaces, one by one, the rows that exist.
func (s *Subscriptions) Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error {
	var group errgroup.Group // without a context: a failure leaves the others
	group.SetLimit(maxExtending)
	group.Go(func() error { return s.extendConnection(ctx, c) })
	for _, one := range to {
		group.Go(func() error { return s.extendChannel(ctx, domain.Subscription{To: one, Connection: c}) })
	}
	return group.Wait()
}

func (s *Subscriptions) extendConnection(ctx context.Context, c domain.Connection) error {
	update, err := s.updateConnection(describe(c), c.ID, isStored)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err = s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: update.TableName, Key: update.Key,
		UpdateExpression: update.UpdateExpression, ConditionExpression: update.ConditionExpression,
		ExpressionAttributeNames:  update.ExpressionAttributeNames,
		ExpressionAttributeValues: update.ExpressionAttributeValues,
	})
	return ifStored("extend the subscriptions of "+string(c.ID), err)
}

func (s *Subscriptions) extendChannel(ctx context.Context, sub domain.Subscription) error {
	item, err := attributevalue.MarshalMap(subscriptionRow{keyOfChannel(sub), newRow(sub.Connection)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.name, Item: item, ConditionExpression: aws.String("attribute_exists(" + channelAttribute + ")"),
	})
	return ifStored(fmt.Sprintf("extend the subscription of %s to %s", sub.Connection.ID, sub.To), err)
}

// ifStored returns the error of a write to a row on the condition that it exists, unless
// it does not.
func ifStored(what string, err error) error {
	if missing := new(types.ConditionalCheckFailedException); err == nil || errors.As(err, &missing) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Unsubscribe deletes from both rows in one transaction. A connection without a row
// subscribes to nothing.
func (s *Subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	remove, err := s.updateConnection(
		expression.Delete(expression.Name(listAttribute), setOf(sub.To)), sub.Connection.ID, isStored)
	if err != nil {
		return err
	}
	row := &types.Delete{TableName: &s.name, Key: keyOfChannel(sub).attributes()}
	err = transact(ctx, s.table, types.TransactWriteItem{Update: remove}, types.TransactWriteItem{Delete: row})
	if err != nil && !conditionFailed(err, 0) {
		return fmt.Errorf("unsubscribe %s from %s: %w", sub.Connection.ID, sub.To, err)
	}
	return nil
}

// Subscribed reads the row with strong consistency.
func (s *Subscriptions) Subscribed(ctx context.Context, sub domain.Subscription) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.name, Key: keyOfChannel(sub).attributes(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return false, fmt.Errorf("get the subscription of %s to %s: %w", sub.Connection.ID, sub.To, err)
	}
	return len(out.Item) > 0 && !readRow(out.Item).connection().Expired(time.Now()), nil
}

// Subscriptions reads the row when no transaction is writing it.
func (s *Subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) ([]domain.Subscription, error) {
	item, err := s.item(ctx, id)
	return subscriptionsIn(item), err
}

// item returns the row with the connection, empty if there is none. A join whose check of
// the connection's row has passed is in it.
func (s *Subscriptions) item(ctx context.Context, id domain.ConnectionID) (map[string]types.AttributeValue, error) {
	item, err := readAlone(ctx, s.table, keyOfConnection(id).attributes())
	if err != nil {
		return nil, fmt.Errorf("get the subscriptions of %s: %w", id, err)
	}
	return item, nil
}

// Clear deletes the subscriptions of the connections: all rows with a channel, then those
// with a connection.
func (s *Subscriptions) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	distinct := unique(ids)
	items := make([]map[string]types.AttributeValue, len(distinct))
	group, inGroup := errgroup.WithContext(ctx)
	group.SetLimit(maxClearing)
	for i, id := range distinct {
		group.Go(func() (err error) {
			items[i], err = s.item(inGroup, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var channels, connections []map[string]types.AttributeValue
	for i, item := range items {
		for _, sub := range subscriptionsIn(item) {
			channels = append(channels, keyOfChannel(sub).attributes())
		}
		if len(item) > 0 {
			connections = append(connections, keyOfConnection(distinct[i]).attributes())
		}
	}
	if err := s.deleteAll(ctx, channels); err != nil {
		return fmt.Errorf("clear the subscriptions of %d connections: %w", len(ids), err)
	}
	return s.deleteAll(ctx, connections)
}

// Subscribers queries one page with strong consistency, for the reason that Scan has.
func (s *Subscriptions) Subscribers(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (
	ports.Page, error) {
	last, err := startOf(segment, from)
	if err != nil {
		return ports.Page{}, err
	}
	lowest, highest := segment.Places()
	if last != "" && (last < lowest || last > highest) {
		return ports.Page{}, fmt.Errorf("%.40q in segment %d of %d: %w", last, segment.Index, segment.Total, ports.ErrBadCursor)
	}
	in := expression.Key(channelAttribute).Equal(expression.Value(to.String())).
		And(expression.Key(memberAttribute).Between(expression.Value(lowest), expression.Value(highest)))
	out, err := query(ctx, s.table, in, last, to.String())
	if err != nil {
		return ports.Page{}, pageError(err, from)
	}
	return newPage(out.Items, textOf(out.LastEvaluatedKey[memberAttribute]), segment), nil
}

// query reads one page of a channel, after a member unless that is empty. It is no method:
// the linker would keep that in programs that never call it.
func query(ctx context.Context, t table, keys expression.KeyConditionBuilder, after, channel string) (
	*dynamodb.QueryOutput, error) {
	expr, err := expression.NewBuilder().WithKeyCondition(keys).WithFilter(unexpired(time.Now())).Build()
	if err != nil {
		return nil, err
	}
	input := &dynamodb.QueryInput{
		TableName: &t.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: expr.KeyCondition(), FilterExpression: expr.Filter(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}
	if t.opts.PageSize > 0 {
		input.Limit = &t.opts.PageSize
	}
	if after != "" {
		input.ExclusiveStartKey = rowKey{channel, after}.attributes()
	}
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	return t.client.Query(ctx, input)
}
