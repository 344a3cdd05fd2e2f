package template_test

import "fmt"

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
	wrong = append(wrong, t.unmet(
		expectation{"Resources/DeadLetterQueue/Properties/MessageRetentionPeriod", longest},
		expectation{"Resources/JobsQueue/Properties/RedrivePolicy/deadLetterTargetArn", arn("DeadLetterQueue")},
	)...)
	if n := t.number("Resources/JobsQueue/Properties/RedrivePolicy/maxReceiveCount"); n < 5 {
		wrong = append(wrong, fmt.Sprintf("a job becomes a dead letter after %d receives; throttled invocations count too", n))
	}
	// A dead letter keeps the age it had on the job queue.
	jobs, dead := "Resources/JobsQueue/Properties/MessageRetentionPeriod", "Resources/DeadLetterQueue/Properties/MessageRetentionPeriod"
	if t.number(jobs) >= t.number(dead) {
		wrong = append(wrong, "a dead letter can expire as it becomes one")
	}
	return wrong
}

// withoutPolicy checks that the queue refuses requests that are not encrypted.
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
	return []string{queue + " takes requests without TLS"}
}

// wrongEventSource checks the limits of an SQS event source.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func wrongEventSource(t template) []string {
	const path = "Resources/FanOutEventSourceMappingSQSJobsQueue/Properties/"
	wrong := t.unmet(
		expectation{path + "EventSourceArn", arn("JobsQueue")},
		expectation{path + "FunctionName", arn("FanOutLambdaFunction")},
		expectation{path + "FunctionResponseTypes", `["ReportBatchItemFailures"]`},
		expectation{path + "Enabled", "true"},
		// The function sends to the queue that invokes it, which Lambda would take
		// for a loop.
		// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
		expectation{fanOut + "RecursiveLoop", `"Allow"`},
	)
	batch, window := t.number(path+"BatchSize"), t.number(path+"MaximumBatchingWindowInSeconds")
	if batch < 1 || batch > 10_000 || batch > 10 && window == 0 {
		wrong = append(wrong, fmt.Sprintf("a batch of %d with a window of %d s", batch, window))
	}
	if n := t.number(path + "ScalingConfig/MaximumConcurrency"); n < 2 || n > 1_000 {
		wrong = append(wrong, fmt.Sprintf("%d workers at once: 2 to 1,000 are possible", n))
	}
	timeout := t.number("Resources/FanOutLambdaFunction/Properties/Timeout")
	visibility := t.number("Resources/JobsQueue/Properties/VisibilityTimeout")
	if visibility < 6*timeout+window {
		wrong = append(wrong, fmt.Sprintf("visibility of %d s: less than six timeouts of %d s and the window of %d s",
			visibility, timeout, window))
	}
	return wrong
}
