// Package sqsqueue sends messages to an SQS standard queue. What reads from it
// is the Lambda event source, so nothing here receives.
package sqsqueue

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/internal/awsretry"
	"serverless-websocket/ports"
)

const baseDelay = 50 * time.Millisecond

// Options tune a queue. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each request, its retries included. Default: 5 s.
	Timeout time.Duration
	// MaxAttempts bounds the tries of a request, and those to get the messages
	// of one batch stored. Default: 4, which waits 0.35 s between them at most.
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
// connections and credentials; how a request is retried is up to the queue.
func New(client *sqs.Client, queueURL string, opts Options) *Queue {
	opts.Timeout = cmp.Or(opts.Timeout, 5*time.Second)
	opts.MaxAttempts = cmp.Or(opts.MaxAttempts, 4)
	retries := awsretry.Policy{MaxAttempts: opts.MaxAttempts, BaseDelay: baseDelay}
	tuned := sqs.New(client.Options(), func(o *sqs.Options) {
		o.Retryer = retries.Retryer()
	})
	return &Queue{client: tuned, url: queueURL, opts: opts, retries: retries}
}

// Send sends the messages in as few requests as SQS takes them, one after the
// other. Messages against the limits do not keep the others from being sent. A
// request that fails as a whole ends it, with an error that is no
// *ports.SendError: after a lost answer nobody knows what was stored.
func (q *Queue) Send(ctx context.Context, messages ...ports.QueueMessage) error {
	entries, failed := newEntries(messages)
	for _, batch := range batches(entries) {
		if err := q.sendBatch(ctx, batch, failed); err != nil {
			return fmt.Errorf("send %d messages: %w", len(messages), err)
		}
	}
	if len(failed) > 0 {
		return &ports.SendError{Failed: failed}
	}
	return nil
}
