package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"

	"serverless-websocket/adapters/internal/awsretry"
)

const baseDelay = 25 * time.Millisecond

// maxBatch is the maximum number of items in a BatchWriteItem request.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
const maxBatch = 25

// Options tune a store. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each read or written row, each transaction, each page of a scan and
	// each batch of 25 writes, including retries. An attempt gets a third of it.
	// Default: 4 s, less than the timeout of any function that waits for one.
	Timeout time.Duration
	// MaxAttempts bounds the tries of a request, and the tries to get all items of a
	// batch processed. Default: 6, with waits of at most 0.8 s between them. Transactions
	// of subscriptions that meet others are tried until the Timeout.
	MaxAttempts int
	// PageSize is the maximum number of rows that a page reads, expired ones included.
	// Default: as many as DynamoDB fits into a page, 1 MB.
	PageSize int32
}

// table is a table and how requests to it are retried.
type table struct {
	client  *dynamodb.Client
	name    string
	opts    Options
	retries awsretry.Policy
}

func newTable(client *dynamodb.Client, name string, opts Options) table {
	opts.Timeout = cmp.Or(opts.Timeout, 4*time.Second)
	opts.MaxAttempts = cmp.Or(opts.MaxAttempts, 6)
	retries := awsretry.Policy{Timeout: opts.Timeout, MaxAttempts: opts.MaxAttempts, BaseDelay: baseDelay}
	tuned := dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		retries.Tune(&o.Retryer, &o.APIOptions)
		// A write that meets a transaction at its row; the SDK calls that final.
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, new(types.TransactionConflictException).ErrorCode())
	})
	return table{client: tuned, name: name, opts: opts, retries: retries}
}

// deleteAll deletes rows, whose keys all differ, in sequential batches, each with its own
// time limit. If a batch fails, the others are still deleted.
func (t table) deleteAll(ctx context.Context, keys []map[string]types.AttributeValue) error {
	var failures []error
	for batch := range slices.Chunk(keys, maxBatch) {
		if err := t.deleteBatch(ctx, batch); err != nil {
			failures = append(failures, fmt.Errorf("delete %d of %d rows: %w", len(batch), len(keys), err))
		}
	}
	return errors.Join(failures...)
}

func (t table) deleteBatch(ctx context.Context, keys []map[string]types.AttributeValue) error {
	requests := make([]types.WriteRequest, len(keys))
	for i, key := range keys {
		requests[i].DeleteRequest = &types.DeleteRequest{Key: key}
	}
	return t.writeAll(ctx, requests)
}

// writeAll makes at most maxBatch requests. It resends items that DynamoDB returns
// unprocessed because it throttles part of the batch.
func (t table) writeAll(ctx context.Context, pending []types.WriteRequest) error {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		var err error
		if pending, err = t.writeBatch(ctx, pending); err != nil || len(pending) == 0 {
			return err
		}
		if attempt == t.opts.MaxAttempts {
			return fmt.Errorf("%d rows unprocessed after %d attempts", len(pending), attempt)
		}
		if err := smithytime.SleepWithContext(ctx, t.retries.Backoff(attempt)); err != nil {
			return fmt.Errorf("%d rows unprocessed: %w", len(pending), err)
		}
	}
}

func (t table) writeBatch(
	ctx context.Context, requests []types.WriteRequest,
) (unprocessed []types.WriteRequest, err error) {
	out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{t.name: requests},
	})
	if err != nil {
		return nil, err
	}
	return out.UnprocessedItems[t.name], nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
