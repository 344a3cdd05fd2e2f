package blackbox

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/awslocal"
)

// holds returns how many messages a queue has: visible, in flight and delayed.
func holds(t testing.TB, url string) string {
	t.Helper()
	out, err := awslocal.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := out.Attributes
	return a["ApproximateNumberOfMessages"] + "+" + a["ApproximateNumberOfMessagesNotVisible"] +
		"+" + a["ApproximateNumberOfMessagesDelayed"]
}

// createAlike creates an empty queue with the visibility timeout of another, and
// with its dead-letter queue, under a name that begins with the one given. It
// returns its URL.
func createAlike(t testing.TB, name, url string) string {
	t.Helper()
	like, err := awslocal.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameVisibilityTimeout, types.QueueAttributeNameRedrivePolicy,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	name += "-" + rand.Text()
	created, err := awslocal.SQS(t).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: like.Attributes})
	if err != nil {
		t.Fatal(err)
	}
	return *created.QueueUrl
}

func wantEmpty(t testing.TB, url string) {
	t.Helper()
	if got := holds(t, url); got != "0+0+0" {
		t.Errorf("queue %s holds %s messages", url, got)
	}
}
