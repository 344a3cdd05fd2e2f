package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// recordTimeout bounds a Delete or ChangeVisibility.
const recordTimeout = 10 * time.Second

// refusals are the entries of a batch request that SQS has refused.
type refusals = []types.BatchResultErrorEntry

// Delete deletes ten messages per request. A failed request does not keep the others from
// being sent.
func (r *Receiver) Delete(receipts ...string) error {
	return inBatches("delete", receipts, func(ctx context.Context, batch []string) (refusals, error) {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(batch))
		for i := range batch {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &batch[i]}
		}
		out, err := r.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &r.url, Entries: entries})
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	})
}

// ChangeVisibility handles ten messages per request. A failed request does not keep the
// others from being sent.
func (r *Receiver) ChangeVisibility(d time.Duration, receipts ...string) error {
	return inBatches("change visibility", receipts, func(ctx context.Context, batch []string) (refusals, error) {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))
		for i := range batch {
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &batch[i], VisibilityTimeout: seconds(d),
			}
		}
		out, err := r.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{
			QueueUrl: &r.url, Entries: entries,
		})
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	})
}

// inBatches calls do with as many receipts as a request allows, and returns all errors.
func inBatches(
	operation string, receipts []string, do func(context.Context, []string) (refusals, error),
) error {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	var errs []error
	for batch := range slices.Chunk(receipts, maxEntries) {
		failed, err := do(ctx, batch)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", operation, err))
		}
		for _, entry := range failed {
			errs = append(errs, fmt.Errorf("%s: %s: %s", operation, aws.ToString(entry.Code), aws.ToString(entry.Message)))
		}
	}
	return errors.Join(errs...)
}
