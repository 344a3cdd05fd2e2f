package lambdaevent

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain/fanout"
)

// FanOut handles batches of jobs: new ones, parts and retries. Its event sources
// must be set to ReportBatchItemFailures.
type FanOut struct {
	Worker *fanout.Worker
}

// Handle processes the batch and lists the messages to redeliver. The error is always
// nil, since an error would redeliver the whole batch.
func (h *FanOut) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	deliveries := make([]fanout.Delivery, 0, len(event.Records))
	for _, r := range event.Records {
		deliveries = append(deliveries, fanout.Delivery{
			ID: r.MessageId, Body: r.Body, Again: r.Attributes["ApproximateReceiveCount"] != "1",
			QueuedAt: queuedAt(r),
		})
	}
	failures := []events.SQSBatchItemFailure{} // as JSON [], since not every event source takes null for success
	for _, id := range h.Worker.Handle(ctx, deliveries) {
		failures = append(failures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return events.SQSEventResponse{BatchItemFailures: failures}, nil
}

// queuedAt returns zero for a record that does not say.
func queuedAt(r events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(r.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
