package template_test

import (
	"fmt"
	"strconv"

	"serverless-websocket/domain/fanout"
)

const (
	maxQueueBody = "1048576"
	longest      = "1209600" // 14 days, the longest retention
	withoutTLS   = `{"Bool":{"aws:SecureTransport":false}}`
)

func wrongQueues(t template) []string {
	var wrong []string
	for id, queue := range t.ofType("AWS::SQS::Queue") {
		for _, complaint := range queue.unmet(
			expectation{"Properties/MaximumMessageSize", maxQueueBody},
			expectation{"Properties/SqsManagedSseEnabled", "true"},
		) {
			wrong = append(wrong, id+": "+complaint)
		}
		wrong = append(wrong, withoutPolicy(t, id)...)
	}
	const dead = "Resources/DeadLetterQueue/Properties/MessageRetentionPeriod"
	wrong = append(wrong, t.unmet(expectation{dead, longest})...)
	for _, queue := range []string{jobs, channels, parts, retries} {
		wrong = append(wrong, t.unmet(expectation{queue + "RedrivePolicy/deadLetterTargetArn", arn("DeadLetterQueue")})...)
		if n := t.number(queue + "RedrivePolicy/maxReceiveCount"); n < 5 {
			wrong = append(wrong, fmt.Sprintf("%s: a job becomes a dead letter after %d receives; throttled invocations count too", queue, n))
		}
		// A dead letter keeps the age it had on the queue that it comes from.
		if t.number(queue+"MessageRetentionPeriod") >= t.number(dead) {
			wrong = append(wrong, queue+": a dead letter can expire as it becomes one")
		}
	}
	return wrong
}

// withoutPolicy checks that the queue refuses unencrypted requests.
func withoutPolicy(t template, queue string) []string {
	for _, policy := range t.ofType("AWS::SQS::QueuePolicy") {
		if policy.text("Properties/Queues") != "["+ref(queue)+"]" {
			continue
		}
		return policy.unmet(
			expectation{"Properties/PolicyDocument/Statement/0/Effect", `"Deny"`},
			expectation{"Properties/PolicyDocument/Statement/0/Principal", `"*"`},
			expectation{"Properties/PolicyDocument/Statement/0/Action", `"sqs:*"`},
			expectation{"Properties/PolicyDocument/Statement/0/Resource", arn(queue)},
			expectation{"Properties/PolicyDocument/Statement/0/Condition", withoutTLS},
		)
	}
	return []string{queue + " accepts requests without TLS"}
}

// wrongEventSources checks which queues the worker reads and how: new jobs, those for users
// and rooms, and retries in batches and with the minimum number of workers, parts one by
// one and with all other workers.
func wrongEventSources(t template) []string {
	wrong := t.unmet(
		// The function sends to queues that invoke it, which Lambda would treat as a
		// loop. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
		expectation{fanOut + "RecursiveLoop", `"Allow"`},
		expectation{partsSource + "BatchSize", "1"},
		expectation{partsSource + "MaximumBatchingWindowInSeconds", "null"},
		expectation{channelsSource + "BatchSize", "10"},
		expectation{channelsSource + "MaximumBatchingWindowInSeconds", "null"},
		expectation{retriesSource + "BatchSize", "10"},
		expectation{retriesSource + "MaximumBatchingWindowInSeconds", "null"},
	)
	concurrency, _ := strconv.Atoi(shared.packages[t.stage()].settings()["fanOutConcurrency"])
	wrong = append(wrong, t.wrongEventSource(jobsSource, "JobsQueue", fanout.JobWorkers)...)
	wrong = append(wrong, t.wrongEventSource(channelsSource, "ChannelsQueue", fanout.ChannelWorkers)...)
	wrong = append(wrong, t.wrongEventSource(partsSource, "PartsQueue", fanout.Quota{Workers: concurrency}.PartWorkers())...)
	return append(wrong, t.wrongEventSource(retriesSource, "RetriesQueue", fanout.RetryWorkers)...)
}

// wrongEventSource checks one of them, and the limits of an SQS event source.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (t template) wrongEventSource(path, queue string, workers int) []string {
	wrong := t.unmet(
		expectation{path + "EventSourceArn", arn(queue)},
		expectation{path + "FunctionName", arn("FanOutLambdaFunction")},
		expectation{path + "FunctionResponseTypes", `["ReportBatchItemFailures"]`},
		expectation{path + "Enabled", "true"},
	)
	batch, window := t.number(path+"BatchSize"), t.number(path+"MaximumBatchingWindowInSeconds")
	if batch < 1 || batch > 10_000 || batch > 10 && window == 0 {
		wrong = append(wrong, fmt.Sprintf("%s: a batch of %d with a window of %d s", queue, batch, window))
	}
	if n := t.number(path + "ScalingConfig/MaximumConcurrency"); n != workers || n < 2 || n > 1_000 {
		wrong = append(wrong, fmt.Sprintf("%s: %d workers at once, not %d; 2 to 1,000 are possible", queue, n, workers))
	}
	timeout := t.number(fanOut + "Timeout")
	visibility := t.number("Resources/" + queue + "/Properties/VisibilityTimeout")
	if visibility < 6*timeout+window {
		wrong = append(wrong, fmt.Sprintf("%s: visibility of %d s: less than six timeouts of %d s and the window of %d s",
			queue, visibility, timeout, window))
	}
	return wrong
}
