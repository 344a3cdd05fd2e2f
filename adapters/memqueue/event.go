package memqueue

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// What the events of this queue say about where they come from.
const (
	eventSource = "aws:sqs"
	region      = "local"
	queueARN    = "arn:aws:sqs:local:000000000000:memqueue"
)

// event turns a batch into the event that Lambda would make of it.
func event(batch []Message) events.SQSEvent {
	records := make([]events.SQSMessage, len(batch))
	for i, m := range batch {
		records[i] = events.SQSMessage{
			MessageId:     m.ID,
			ReceiptHandle: m.Receipt,
			Body:          m.Body,
			Attributes: map[string]string{
				"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
				"SentTimestamp":                    milliseconds(m.SentAt),
				"ApproximateFirstReceiveTimestamp": milliseconds(m.FirstReceivedAt),
			},
			EventSource:    eventSource,
			EventSourceARN: queueARN,
			AWSRegion:      region,
		}
	}
	return events.SQSEvent{Records: records}
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// split tells the receipts of the messages that are done from those that failed.
// It is an error, and then all of them failed, if the response names a message
// that is not in the batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func split(batch []Message, response events.SQSEventResponse) (done, failed []string, err error) {
	left := make(map[string]bool, len(response.BatchItemFailures))
	for _, failure := range response.BatchItemFailures {
		left[failure.ItemIdentifier] = true
	}
	for _, m := range batch {
		if left[m.ID] {
			failed = append(failed, m.Receipt)
		} else {
			done = append(done, m.Receipt)
		}
	}
	if len(failed) != len(left) {
		return nil, nil, fmt.Errorf("%d of the %d failed items are not in the batch", len(left)-len(failed), len(left))
	}
	return done, failed, nil
}

func receipts(batch []Message) []string {
	all := make([]string, len(batch))
	for i, m := range batch {
		all[i] = m.Receipt
	}
	return all
}
