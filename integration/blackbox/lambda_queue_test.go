package blackbox

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/environments/awslocal"
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

func wantEmpty(t testing.TB, url string) {
	t.Helper()
	if got := holds(t, url); got != "0+0+0" {
		t.Errorf("queue %s holds %s messages", url, got)
	}
}
