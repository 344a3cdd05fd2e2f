package sqsqueue_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/awslocal"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

func TestQueue(t *testing.T) {
	porttest.TestQueue(t, porttest.QueueHarness{
		New: func(t *testing.T) porttest.QueueUnderTest {
			client, queue := awslocal.SQS(t), newQueue(t)
			return underTest(sqsqueue.New(client, queue, sqsqueue.Options{}), client, queue)
		},
		NewFailing: func(t *testing.T) porttest.QueueUnderTest {
			url, direct := newQueue(t), awslocal.SQS(t)
			faulty := awslocal.SQSAt(awslocal.Proxy(t, awslocal.SQSEndpoint(t), breaking(2, 2, unavailable)))
			return underTest(sqsqueue.New(faulty, url, sqsqueue.Options{MaxAttempts: 1}), direct, url)
		},
	})
}

func underTest(queue ports.Queue, client *sqs.Client, url string) porttest.QueueUnderTest {
	return porttest.QueueUnderTest{
		Queue:   queue,
		Receive: func(ctx context.Context) ([]string, error) { return receive(ctx, client, url) },
	}
}

func newQueue(t *testing.T) (url string) {
	t.Helper()
	return awslocal.CreateQueue(t, time.Minute, 5).URL
}

// receive waits until messages are visible, deletes them and returns their
// bodies, or none when ctx has ended.
func receive(ctx context.Context, client *sqs.Client, queue string) ([]string, error) {
	for {
		bodies, err := take(ctx, client, queue, 1)
		if ctx.Err() != nil {
			return bodies, nil
		}
		if err != nil || len(bodies) > 0 {
			return bodies, err
		}
	}
}

// take deletes up to ten messages, for the first of which it waits so many
// seconds, and returns their bodies.
func take(ctx context.Context, client *sqs.Client, queue string, wait int32) ([]string, error) {
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
	})
	if err != nil {
		return nil, err
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
		_, err := client.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{
			QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle,
		})
		if err != nil {
			return nil, err
		}
	}
	return bodies, nil
}
