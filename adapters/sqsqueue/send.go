package sqsqueue

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithytime "github.com/aws/smithy-go/time"

	"serverless-websocket/ports"
)

// sendBatch sends again the entries that SQS refused for reasons of its own, and
// adds those that remain, and those that are at fault themselves, to failed.
func (q *Queue) sendBatch(
	ctx context.Context, pending []types.SendMessageBatchRequestEntry, failed map[int]error,
) error {
	for attempt := 1; ; attempt++ {
		refusals, err := q.request(ctx, pending)
		if err != nil {
			return err
		}
		var again []types.SendMessageBatchRequestEntry
		for _, entry := range pending {
			refusal, refused := refusals[*entry.Id]
			switch {
			case !refused:
			case refusal.SenderFault || attempt == q.opts.MaxAttempts:
				index, _ := strconv.Atoi(*entry.Id) // written by newEntries
				failed[index] = reason(refusal)
			default:
				again = append(again, entry)
			}
		}
		if len(again) == 0 {
			return nil
		}
		if err := smithytime.SleepWithContext(ctx, q.retries.Backoff(attempt)); err != nil {
			return fmt.Errorf("%d messages refused: %w", len(again), err)
		}
		pending = again
	}
}

// request returns the refused entries by their ids.
func (q *Queue) request(
	ctx context.Context, entries []types.SendMessageBatchRequestEntry,
) (map[string]types.BatchResultErrorEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, q.opts.Timeout)
	defer cancel()
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return nil, err
	}
	refusals := make(map[string]types.BatchResultErrorEntry, len(out.Failed))
	for _, refusal := range out.Failed {
		refusals[aws.ToString(refusal.Id)] = refusal
	}
	return refusals, nil
}

// reason says why a message was not stored. A fault of the sender means that SQS
// has something against the message that Validate has not.
func reason(r types.BatchResultErrorEntry) error {
	err := fmt.Errorf("%s: %s", aws.ToString(r.Code), aws.ToString(r.Message))
	if r.SenderFault {
		return fmt.Errorf("%w: %w", ports.ErrBadMessage, err)
	}
	return err
}
