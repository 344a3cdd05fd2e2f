package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"

	"serverless-websocket/domain"
)

// maxBatch is the maximum number of items in a BatchWriteItem request.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
const maxBatch = 25

// Delete removes the connections in sequential batches, each with its own time limit. If
// a batch fails, the others are still deleted.
func (s *Store) Delete(ctx context.Context, ids ...domain.ConnectionID) error {
	var failures []error
	for batch := range slices.Chunk(unique(ids), maxBatch) {
		if err := s.deleteBatch(ctx, batch); err != nil {
			failures = append(failures, fmt.Errorf("delete %d of %d connections: %w", len(batch), len(ids), err))
		}
	}
	return errors.Join(failures...)
}

// unique drops repeated ids, which would make DynamoDB refuse the batch.
func unique(ids []domain.ConnectionID) []domain.ConnectionID {
	set := make(map[domain.ConnectionID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return slices.Collect(maps.Keys(set))
}

// deleteBatch resends items that DynamoDB returns unprocessed because it throttles part
// of the batch.
func (s *Store) deleteBatch(ctx context.Context, ids []domain.ConnectionID) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	pending := make([]types.WriteRequest, len(ids))
	for i, id := range ids {
		pending[i].DeleteRequest = &types.DeleteRequest{Key: key(string(id))}
	}
	for attempt := 1; ; attempt++ {
		var err error
		if pending, err = s.writeBatch(ctx, pending); err != nil || len(pending) == 0 {
			return err
		}
		if attempt == s.opts.MaxAttempts {
			return fmt.Errorf("%d rows unprocessed after %d attempts", len(pending), attempt)
		}
		if err := smithytime.SleepWithContext(ctx, s.retries.Backoff(attempt)); err != nil {
			return fmt.Errorf("%d rows unprocessed: %w", len(pending), err)
		}
	}
}

func (s *Store) writeBatch(
	ctx context.Context, requests []types.WriteRequest,
) (unprocessed []types.WriteRequest, err error) {
	out, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{s.table: requests},
	})
	if err != nil {
		return nil, err
	}
	return out.UnprocessedItems[s.table], nil
}
