// Package dynamostore keeps the registered connections, their subscriptions and the logs
// of channels in three DynamoDB tables. Times are numbers since 1970: registered_at and
// at are in milliseconds, valid_until and expires_at, which is to be the TTL attribute, in
// seconds.
//
// The key of the connections is the string connection_id. A row also has registered_at,
// expires_at and, if the client has signed in, user, the token's scope and valid_until: in
// seconds, when the token expires, while expires_at is when the connection has certainly
// ended.
//
// The key of the subscriptions is the strings channel and member. The row with the
// channel has as member the user's place and the connection's id, and expires with the
// token. The row with the connection, whose channel is "connection:" and the id, has as
// member the word channels, which is also the name of its set of them. It expires when the
// connection's own row does, and has valid_until like that.
//
// The key of the logs is the string channel and the number seq. A row has the messages
// seq to end, which were appended together, and their epoch, and at, when that was. They
// are served before valid_until.
package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Store is a ports.ConnectionStore.
type Store struct{ table }

// New returns a store on the table of connections. It shares the client's HTTP
// connections and credentials; the store decides how a request is retried.
func New(client *dynamodb.Client, table string, opts Options) *Store {
	return &Store{newTable(client, table, opts)}
}

// Put stores the connection. RegisteredAt is cut to milliseconds, ExpiresAt
// rounded up to a second.
func (s *Store) Put(ctx context.Context, c domain.Connection) error {
	return s.put(ctx, c, nil)
}

// Replace stores the connection if one with its id is stored.
func (s *Store) Replace(ctx context.Context, c domain.Connection) error {
	err := s.put(ctx, c, aws.String("attribute_exists("+keyAttribute+")"))
	if missing := new(types.ConditionalCheckFailedException); errors.As(err, &missing) {
		return fmt.Errorf("connection %s: %w", c.ID, ports.ErrNotFound)
	}
	return err
}

func (s *Store) put(ctx context.Context, c domain.Connection, condition *string) error {
	item, err := attributevalue.MarshalMap(newConnectionRow(c))
	if err != nil {
		return fmt.Errorf("encode connection %s: %w", c.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	input := &dynamodb.PutItemInput{TableName: &s.name, Item: item, ConditionExpression: condition}
	if _, err := s.client.PutItem(ctx, input); err != nil {
		return fmt.Errorf("put connection %s: %w", c.ID, err)
	}
	return nil
}

// Get reads the row with strong consistency.
func (s *Store) Get(ctx context.Context, id domain.ConnectionID) (domain.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.name, Key: key(string(id)), ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return domain.Connection{}, fmt.Errorf("get connection %s: %w", id, err)
	case len(out.Item) == 0:
		return domain.Connection{}, fmt.Errorf("connection %s: %w", id, ports.ErrNotFound)
	}
	return readRow(out.Item).connection(), nil
}

// Delete removes the connections in sequential batches, each with its own time limit. If
// a batch fails, the others are still deleted.
func (s *Store) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	var keys []map[string]types.AttributeValue
	for _, id := range unique(ids) {
		keys = append(keys, key(string(id)))
	}
	return s.deleteAll(ctx, keys)
}

// unique drops repeated ids, which would make DynamoDB refuse the batch.
func unique(ids []domain.ConnectionID) []domain.ConnectionID {
	set := make(map[domain.ConnectionID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return slices.Collect(maps.Keys(set))
}
