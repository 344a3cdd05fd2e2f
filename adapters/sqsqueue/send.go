package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithytime "github.com/aws/smithy-go/time"

	"serverless-websocket/ports"
)

// errNoResult: the response does not mention the message, which may or may not be stored.
var errNoResult = errors.New("no result in the response")

// sendBatch resends entries that SQS refused through no fault of the sender. In failed it
// leaves those that in the end are not known to be stored, with the reason.
func (q *Queue) sendBatch(
	ctx context.Context, pending []types.SendMessageBatchRequestEntry, failed map[int]error,
) {
	for attempt := 1; ; attempt++ {
		out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: pending})
		if err != nil {
			giveUp(pending, err, failed)
			return
		}
		pending = settle(pending, out, failed)
		if len(pending) == 0 || attempt == q.opts.MaxAttempts {
			return
		}
		if err := smithytime.SleepWithContext(ctx, q.retries.Backoff(attempt)); err != nil {
			giveUp(pending, err, failed)
			return
		}
	}
}

// giveUp records why the entries are not resent, after SQS's reason for refusing them, if
// any.
func giveUp(pending []types.SendMessageBatchRequestEntry, err error, failed map[int]error) {
	for _, entry := range pending {
		if refusal := failed[index(entry)]; refusal != nil {
			failed[index(entry)] = fmt.Errorf("%w; not retried: %w", refusal, err)
		} else {
			failed[index(entry)] = err
		}
	}
}

// settle updates failed from a response and returns the entries to resend. Only entries
// that the response names as stored are stored.
func settle(
	sent []types.SendMessageBatchRequestEntry, out *sqs.SendMessageBatchOutput, failed map[int]error,
) (again []types.SendMessageBatchRequestEntry) {
	stored := make(map[string]bool, len(out.Successful))
	for _, result := range out.Successful {
		stored[aws.ToString(result.Id)] = true
	}
	refusals := make(map[string]types.BatchResultErrorEntry, len(out.Failed))
	for _, refusal := range out.Failed {
		refusals[aws.ToString(refusal.Id)] = refusal
	}
	for _, entry := range sent {
		refusal := refusals[*entry.Id]
		switch {
		case stored[*entry.Id]:
			delete(failed, index(entry))
			continue
		case !refusal.SenderFault:
			again = append(again, entry)
		}
		failed[index(entry)] = reason(refusal)
	}
	return again
}

// index returns the index of the entry's message.
func index(entry types.SendMessageBatchRequestEntry) int {
	i, _ := strconv.Atoi(*entry.Id) // written by newEntries
	return i
}

// reason says why a message was not stored. A sender fault means that SQS objects to
// something in the message that Validate accepts.
func reason(r types.BatchResultErrorEntry) error {
	if r.Id == nil {
		return errNoResult
	}
	err := fmt.Errorf("%s: %s", aws.ToString(r.Code), aws.ToString(r.Message))
	if r.SenderFault {
		return fmt.Errorf("%w: %w", ports.ErrBadMessage, err)
	}
	return err
}
