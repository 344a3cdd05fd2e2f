package blackbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/testenv"
)

// forged are bodies that look like jobs. Their content must reach no one, and none of
// them may spoil the frame of a message beside it.
var forged = []string{
	`{"v":1,"messages":[{"id":"\",\"content\":\"forged","sentAt":1795338000123,"content":"\"forged\""}]}`,
	`{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"\"forged\""},{"id":"}","sentAt":1795338000123,"content":"1"}]}`,
	`{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000B","sentAt":1795338000123000,"content":"\"forged\""}]}`,
	`{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000C","sentAt":1795338000123,"content":"\"forged\""}],"onyl":[{"id":"c=","at":0}]}`,
	`{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000D","sentAt":1795338000123,"content":"\"forged\""}],"attempt":-1000000}`,
	`{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000E","sentAt":1795338000123,"content":"\"forged\""}],"segment":1,"segments":4294967298}`,
}

// TestForgedJobs puts bodies that are not jobs on the queue, in the same batches as real
// messages. Each ends up on the dead-letter queue by itself.
func TestForgedJobs(t *testing.T) {
	s := startLambda(t, lambdaConfig{visibility: time.Second, maxReceives: 2})
	sender, receiver := dial(t, s.target), dial(t, s.target)
	var batch []types.SendMessageBatchRequestEntry
	for i, body := range forged {
		batch = append(batch, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &body})
	}
	if _, err := awslocal.SQS(t).SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &s.queue.URL, Entries: batch}); err != nil {
		t.Fatal(err)
	}
	dead := fmt.Sprintf("%d+0+0", len(forged))
	testenv.Eventually(t, patience, "all of them are dead letters", func() bool {
		a := sender.broadcast(`"good"`)
		receiver.wantMessages([]string{a.ID}, `"forged"`)
		return holds(t, s.queue.DeadLetterURL) == dead
	})
	for _, url := range []string{s.partsURL, s.retriesURL} {
		wantEmpty(t, url)
	}
}
