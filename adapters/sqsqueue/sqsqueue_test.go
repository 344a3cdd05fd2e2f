package sqsqueue_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports/porttest"
)

// patience is the time limit of queues in tests that are not about it: long enough that
// even on a busy machine only a hang exceeds it.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

func TestQueue(t *testing.T) {
	porttest.TestQueue(t, porttest.QueueHarness{
		New: func(t *testing.T, visibility time.Duration, maxReceives int) porttest.QueueUnderTest {
			client, queue := awslocal.SQS(t), awslocal.CreateQueue(t, visibility, maxReceives)
			return porttest.QueueUnderTest{
				Queue:       sqsqueue.New(client, queue.URL, sqsqueue.Options{Timeout: patience}),
				Receiver:    newReceiver(t, queue.URL),
				DeadLetters: newReceiver(t, queue.DeadLetterURL),
			}
		},
		NewFailing: func(t *testing.T) porttest.QueueUnderTest {
			url := newQueue(t)
			faulty := awslocal.SQSAt(awslocal.Proxy(t, awslocal.SQSEndpoint(t), breaking(2, 2, unavailable)))
			return porttest.QueueUnderTest{
				Queue:    sqsqueue.New(faulty, url, sqsqueue.Options{MaxAttempts: 1}),
				Receiver: newReceiver(t, url),
			}
		},
	})
}

func newReceiver(t *testing.T, url string) *sqsqueue.Receiver {
	t.Helper()
	receiver, err := sqsqueue.NewReceiver(t.Context(), awslocal.SQS(t), url, sqsqueue.ReceiverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return receiver
}

func newQueue(t *testing.T) (url string) {
	t.Helper()
	return awslocal.CreateQueue(t, time.Minute, 5).URL
}

// take waits the given number of seconds for a first message, deletes up to ten, and
// returns their bodies.
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
