// Package sqsqueue sends messages to an SQS standard queue, and receives them. On AWS,
// Lambda's event source mapping receives; Receiver is for a stand-in for it, such as the
// one in the tests.
package sqsqueue

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/internal/awsretry"
	"serverless-websocket/ports"
)

const baseDelay = 50 * time.Millisecond

// Options tune a queue. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each Send, including retries. An attempt gets a third of it.
	// Default: 4 s, less than the timeout of any function that waits for it.
	Timeout time.Duration
	// MaxAttempts bounds the tries of a request, and the tries to get all messages of a
	// batch stored. Default: 20. Their waits add up to 8 s on average, so it is Timeout
	// that decides when to give up: losing a message costs more than the retries.
	MaxAttempts int
}

// Queue is a ports.Queue.
type Queue struct {
	client  *sqs.Client
	url     string
	opts    Options
	retries awsretry.Policy
}

// New returns a queue that sends to the queue URL. It shares the client's HTTP
// connections and credentials; the queue decides how a request is retried.
func New(client *sqs.Client, queueURL string, opts Options) *Queue {
	opts.Timeout = cmp.Or(opts.Timeout, 4*time.Second)
	opts.MaxAttempts = cmp.Or(opts.MaxAttempts, 20)
	retries := awsretry.Policy{Timeout: opts.Timeout, MaxAttempts: opts.MaxAttempts, BaseDelay: baseDelay}
	tuned := sqs.New(client.Options(), func(o *sqs.Options) { retries.Tune(&o.Retryer, &o.APIOptions) })
	return &Queue{client: tuned, url: queueURL, opts: opts, retries: retries}
}

// Send sends the messages in as few sequential requests as SQS allows. Messages that
// exceed a limit and requests that fail do not keep the others from being sent. After a
// lost answer it is unknown what was stored; such messages count as not stored, with the
// error of the request.
func (q *Queue) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	ctx, cancel := context.WithTimeout(ctx, q.opts.Timeout)
	defer cancel()
	entries, failed := newEntries(messages)
	for _, batch := range batches(entries) {
		q.sendBatch(ctx, batch, failed)
	}
	if len(failed) > 0 {
		return &ports.SendError{Failed: failed}
	}
	return nil
}
