package sqsqueue

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/ports"
)

// Limits of a batch request. The bytes are the total of all bodies in a SendMessageBatch.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const (
	maxEntries    = 10
	maxBatchBytes = 1 << 20
)

// newEntries returns the entries of the valid messages and the errors of the others, by
// index. The id of an entry is the index of its message.
func newEntries(messages []ports.QueueMessage) ([]types.SendMessageBatchRequestEntry, map[int]error) {
	entries, failed := make([]types.SendMessageBatchRequestEntry, 0, len(messages)), map[int]error{}
	for i, m := range messages {
		if err := m.Validate(); err != nil {
			failed[i] = err
			continue
		}
		id := strconv.Itoa(i)
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: &id, MessageBody: &m.Body, DelaySeconds: seconds(m.Delay),
		})
	}
	return entries, failed
}

// seconds rounds up: a message must not arrive before its delay is over.
func seconds(d time.Duration) int32 {
	return int32((d + time.Second - 1) / time.Second)
}

// batches divides the entries, in order, into requests within the limits.
func batches(entries []types.SendMessageBatchRequestEntry) [][]types.SendMessageBatchRequestEntry {
	var all [][]types.SendMessageBatchRequestEntry
	start, size := 0, 0
	for i, e := range entries {
		if i-start == maxEntries || i > start && size+len(*e.MessageBody) > maxBatchBytes {
			all = append(all, entries[start:i])
			start, size = i, 0
		}
		size += len(*e.MessageBody)
	}
	if start < len(entries) {
		all = append(all, entries[start:])
	}
	return all
}
