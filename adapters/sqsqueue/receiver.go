package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/ports"
)

const maxWait = 20 * time.Second // of a long poll

// ReceiverOptions tune a receiver.
type ReceiverOptions struct {
	// Window is how long a batch larger than one request can be gathered after the first
	// message has arrived. Default: 0, a batch is one request.
	Window time.Duration
}

// Receiver is a ports.Receiver. Its client decides how requests are retried.
type Receiver struct {
	client     *sqs.Client
	url, arn   string
	visibility time.Duration
	window     time.Duration
}

// NewReceiver returns a receiver of the queue and reads the queue's settings.
func NewReceiver(ctx context.Context, client *sqs.Client, queueURL string, opts ReceiverOptions) (*Receiver, error) {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queueURL,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameQueueArn, types.QueueAttributeNameVisibilityTimeout,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue's attributes: %w", err)
	}
	visibility, err := strconv.Atoi(out.Attributes["VisibilityTimeout"])
	if err != nil {
		return nil, fmt.Errorf("visibility timeout: %w", err)
	}
	return &Receiver{
		client: client, url: queueURL, arn: out.Attributes["QueueArn"], window: opts.Window,
		visibility: time.Duration(visibility) * time.Second,
	}, nil
}

// ARN returns the queue's ARN.
func (r *Receiver) ARN() string { return r.arn }

// VisibilityTimeout returns the queue's visibility timeout as of NewReceiver.
func (r *Receiver) VisibilityTimeout() time.Duration { return r.visibility }

// Receive returns the messages of one request, at most ten, or those gathered within the
// window.
func (r *Receiver) Receive(ctx context.Context, limit int) (batch []ports.ReceivedMessage, err error) {
	for len(batch) == 0 {
		if batch, err = r.poll(ctx, limit, maxWait); err != nil {
			return nil, err
		}
	}
	for end := time.Now().Add(r.window); len(batch) < limit; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		more, err := r.poll(ctx, limit-len(batch), left)
		if err != nil {
			break // if it persists, the next Receive meets it again
		}
		batch = append(batch, more...)
	}
	return batch, nil
}

// poll makes one long poll. Its wait is rounded up to seconds: a client that gives up
// earlier loses the messages in the response until they are visible again.
func (r *Receiver) poll(ctx context.Context, limit int, wait time.Duration) ([]ports.ReceivedMessage, error) {
	out, err := r.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &r.url,
		MaxNumberOfMessages:         int32(min(max(limit, 1), maxEntries)),
		WaitTimeSeconds:             seconds(min(wait, maxWait)),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive: %w", errors.Join(ctx.Err(), err))
	}
	batch := make([]ports.ReceivedMessage, len(out.Messages))
	for i, m := range out.Messages {
		batch[i] = received(m)
	}
	return batch, nil
}

func received(m types.Message) ports.ReceivedMessage {
	count, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"]) // SQS always sends numbers
	return ports.ReceivedMessage{
		ID:              aws.ToString(m.MessageId),
		Receipt:         aws.ToString(m.ReceiptHandle),
		Body:            aws.ToString(m.Body),
		ReceiveCount:    count,
		SentAt:          timestamp(m.Attributes["SentTimestamp"]),
		FirstReceivedAt: timestamp(m.Attributes["ApproximateFirstReceiveTimestamp"]),
	}
}

func timestamp(milliseconds string) time.Time {
	n, _ := strconv.ParseInt(milliseconds, 10, 64) // SQS always sends numbers
	return time.UnixMilli(n)
}

var _ ports.Receiver = (*Receiver)(nil)
