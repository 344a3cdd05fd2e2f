package eventsource

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/ports"
)

// newEvent turns a batch into the event that Lambda would create, without the digests of
// the bodies.
func newEvent(batch []ports.ReceivedMessage, queueARN string) events.SQSEvent {
	records, region := make([]events.SQSMessage, len(batch)), regionOf(queueARN)
	for i, m := range batch {
		records[i] = events.SQSMessage{
			MessageId:     m.ID,
			ReceiptHandle: m.Receipt,
			Body:          m.Body,
			Attributes: map[string]string{
				"ApproximateReceiveCount":          strconv.Itoa(m.ReceiveCount),
				"SentTimestamp":                    milliseconds(m.SentAt),
				"ApproximateFirstReceiveTimestamp": milliseconds(m.FirstReceivedAt),
			},
			EventSource:    "aws:sqs",
			EventSourceARN: queueARN,
			AWSRegion:      region,
		}
	}
	return events.SQSEvent{Records: records}
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// regionOf returns the fourth part of an ARN.
func regionOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

// cut divides the received messages into batches whose bodies are within the limit. A
// batch has at least one message, however long it is.
func cut(received []ports.ReceivedMessage, maxBytes int) (batches [][]ports.ReceivedMessage) {
	start, bytes := 0, 0
	for i, m := range received {
		if bytes += len(m.Body); i > start && bytes > maxBytes {
			batches = append(batches, received[start:i])
			start, bytes = i, len(m.Body)
		}
	}
	if start < len(received) {
		batches = append(batches, received[start:])
	}
	return batches
}

// split separates the receipts of finished messages from those of batch item failures. If
// the response names a message that is not in the batch, that is an error and all
// messages have failed.
func split(batch []ports.ReceivedMessage, response events.SQSEventResponse) (done, failed []string, err error) {
	unknown := make(map[string]bool, len(response.BatchItemFailures)) // until seen in the batch
	for _, failure := range response.BatchItemFailures {
		unknown[failure.ItemIdentifier] = true
	}
	for _, m := range batch {
		if _, named := unknown[m.ID]; named {
			unknown[m.ID] = false
			failed = append(failed, m.Receipt)
		} else {
			done = append(done, m.Receipt)
		}
	}
	for id, missing := range unknown {
		if missing {
			return nil, nil, fmt.Errorf("the failed item %q is not in the batch", id)
		}
	}
	return done, failed, nil
}

func receipts(batch []ports.ReceivedMessage) []string {
	all := make([]string, len(batch))
	for i, m := range batch {
		all[i] = m.Receipt
	}
	return all
}
