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
// All rows of a channel are in one partition, which takes 1,000 writes a second and
// serves 3,000 reads of 4 KB. Above that DynamoDB throttles, and calls take longer or
// fail.
type Subscriptions struct{ table }

// NewSubscriptions returns a store on the table of subscriptions; see New.
func NewSubscriptions(client *dynamodb.Client, table string, opts Options) *Subscriptions {
	return &Subscriptions{newTable(client, table, opts)}
}

// Subscribe stores the two rows one after the other.
func (s *Subscriptions) Subscribe(ctx context.Context, sub domain.Subscription) error {
	for _, key := range []rowKey{keyOfConnection(sub), keyOfChannel(sub)} {
		if err := s.put(ctx, key, sub.Connection, nil); err != nil {
			return fmt.Errorf("subscribe %s to %s: %w", sub.Connection.ID, sub.To, err)
		}
	}
	return nil
}

// Extend replaces the two rows of each subscription one after the other, if they exist.
func (s *Subscriptions) Extend(ctx context.Context, c domain.Connection, to ...domain.Recipients) error {
	var group errgroup.Group // without a context: a failure leaves the others
	group.SetLimit(maxExtending)
	for _, one := range to {
		group.Go(func() error {
			if err := s.extend(ctx, domain.Subscription{To: one, Connection: c}); err != nil {
				return fmt.Errorf("extend the subscription of %s to %s: %w", c.ID, one, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (s *Subscriptions) extend(ctx context.Context, sub domain.Subscription) error {
	for _, key := range []rowKey{keyOfConnection(sub), keyOfChannel(sub)} {
		var missing *types.ConditionalCheckFailedException
		err := s.put(ctx, key, sub.Connection, aws.String("attribute_exists("+channelAttribute+")"))
		if err != nil && !errors.As(err, &missing) {
			return err
		}
	}
	return nil
}

// put writes a row, on a condition unless that is nil.
func (s *Subscriptions) put(ctx context.Context, key rowKey, c domain.Connection, condition *string) error {
	item, err := attributevalue.MarshalMap(subscriptionRow{key, newRow(c)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.name, Item: item, ConditionExpression: condition})
	return err
}

// Unsubscribe deletes the two rows one after the other.
func (s *Subscriptions) Unsubscribe(ctx context.Context, sub domain.Subscription) error {
	for _, key := range []rowKey{keyOfChannel(sub), keyOfConnection(sub)} {
		if err := s.delete(ctx, key); err != nil {
			return fmt.Errorf("unsubscribe %s from %s: %w", sub.Connection.ID, sub.To, err)
		}
	}
	return nil
}

func (s *Subscriptions) delete(ctx context.Context, key rowKey) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.name, Key: key.attributes()})
	return err
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

// Subscriptions reads the rows with strong consistency.
func (s *Subscriptions) Subscriptions(ctx context.Context, id domain.ConnectionID) (found []domain.Subscription, err error) {
	of := expression.Key(channelAttribute).Equal(expression.Value(connectionChannel(id)))
	for from := ""; ; {
		out, err := query(ctx, s.table, of, nil, from, connectionChannel(id))
		if err != nil {
			return nil, fmt.Errorf("query the subscriptions of %s: %w", id, err)
		}
		for _, item := range out.Items {
			if to, err := domain.ParseRecipients(textOf(item[memberAttribute])); err == nil {
				found = append(found, domain.Subscription{To: to, Connection: readRow(item).connection()})
			}
		}
		if from = textOf(out.LastEvaluatedKey[memberAttribute]); from == "" {
			return found, nil
		}
	}
}

// Clear deletes the subscriptions of the connections: all rows with a channel, then those
// with a connection.
func (s *Subscriptions) Clear(ctx context.Context, ids ...domain.ConnectionID) error {
	distinct := unique(ids)
	found := make([][]domain.Subscription, len(distinct))
	group, inGroup := errgroup.WithContext(ctx)
	group.SetLimit(maxClearing)
	for i, id := range distinct {
		group.Go(func() (err error) {
			found[i], err = s.Subscriptions(inGroup, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var channels, connections []map[string]types.AttributeValue
	for _, subscriptions := range found {
		for _, sub := range subscriptions {
			channels = append(channels, keyOfChannel(sub).attributes())
			connections = append(connections, keyOfConnection(sub).attributes())
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
	filter := unexpired(time.Now())
	out, err := query(ctx, s.table, in, &filter, last, to.String())
	if err != nil {
		return ports.Page{}, pageError(err, from)
	}
	return newPage(out.Items, textOf(out.LastEvaluatedKey[memberAttribute]), segment), nil
}

// query reads one page of a channel, after a member unless that is empty. It is no method:
// the linker would keep that in programs that never call it.
func query(ctx context.Context, t table, keys expression.KeyConditionBuilder, filter *expression.ConditionBuilder,
	after, channel string) (*dynamodb.QueryOutput, error) {
	builder := expression.NewBuilder().WithKeyCondition(keys)
	if filter != nil {
		builder = builder.WithFilter(*filter)
	}
	expr, err := builder.Build()
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
