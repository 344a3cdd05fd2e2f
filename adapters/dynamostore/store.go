// Package dynamostore keeps the registered connections in a DynamoDB table.
//
// The table's key is the string connection_id. A row also has registered_at, in
// milliseconds since 1970, and expires_at, in seconds since 1970, which is to be
// the table's TTL attribute.
package dynamostore

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/internal/awsretry"
	"serverless-websocket/domain"
)

const baseDelay = 25 * time.Millisecond

// Options tune a store. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each Put, each Scan and each batch of 25 connections in a Delete,
	// including retries. An attempt gets a third of it. Default: 4 s, less than the
	// timeout of any function that waits for it.
	Timeout time.Duration
	// MaxAttempts bounds the tries of a request, and the tries to get all items of a
	// batch processed. Default: 6, with waits of at most 0.8 s between them.
	MaxAttempts int
	// PageSize is the maximum number of rows that a page of a scan reads, expired ones
	// included. Default: as many as DynamoDB fits into a page, 1 MB.
	PageSize int32
}

// Store is a ports.ConnectionStore.
type Store struct {
	client  *dynamodb.Client
	table   string
	opts    Options
	retries awsretry.Policy
}

// New returns a store on the table. It shares the client's HTTP connections and
// credentials; the store decides how a request is retried.
func New(client *dynamodb.Client, table string, opts Options) *Store {
	opts.Timeout = cmp.Or(opts.Timeout, 4*time.Second)
	opts.MaxAttempts = cmp.Or(opts.MaxAttempts, 6)
	retries := awsretry.Policy{Timeout: opts.Timeout, MaxAttempts: opts.MaxAttempts, BaseDelay: baseDelay}
	tuned := dynamodb.New(client.Options(), func(o *dynamodb.Options) { retries.Tune(&o.Retryer, &o.APIOptions) })
	return &Store{client: tuned, table: table, opts: opts, retries: retries}
}

// Put stores the connection. RegisteredAt is cut to milliseconds, ExpiresAt
// rounded up to a second.
func (s *Store) Put(ctx context.Context, c domain.Connection) error {
	item, err := attributevalue.MarshalMap(newRow(c))
	if err != nil {
		return fmt.Errorf("encode connection %s: %w", c.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if _, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: item}); err != nil {
		return fmt.Errorf("put connection %s: %w", c.ID, err)
	}
	return nil
}
