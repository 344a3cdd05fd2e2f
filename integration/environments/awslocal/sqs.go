package awslocal

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/environments/testenv"
)

var queues = &server{name: "SQS server", start: startSQS}

func startSQS(t testing.TB) (*testenv.Process, func() (string, bool), error) {
	node := testenv.Node(t)
	if _, err := os.Stat(filepath.Join(testenv.NodeModules(), "fauxqs")); err != nil {
		testenv.Skip(t, "fauxqs is not installed; run npm ci")
	}
	cmd := exec.Command(node, filepath.Join(testenv.Root(), "integration", "environments", "awslocal", "sqs.mjs"))
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	process, err := testenv.Run(cmd)
	if err != nil {
		return nil, nil, err
	}
	return process, func() (string, bool) { return strings.CutSuffix(process.Output(), "\n") }, nil
}

// Queue is a queue with its dead-letter queue.
type Queue struct{ URL, DeadLetterURL string }

// CreateQueue creates an empty queue. A received message becomes visible again after
// visibility, in whole seconds, and goes to the dead-letter queue instead of being
// received more than maxReceives times.
func CreateQueue(t testing.TB, visibility time.Duration, maxReceives int) Queue {
	t.Helper()
	client, name := SQS(t), "jobs-"+rand.Text()
	dead := createQueue(t, client, name+"-dead", nil)
	attributes, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl:       &dead,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("attributes of the dead-letter queue: %v", err)
	}
	redrive := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`,
		attributes.Attributes["QueueArn"], maxReceives)
	return Queue{DeadLetterURL: dead, URL: createQueue(t, client, name, map[string]string{
		"VisibilityTimeout": strconv.Itoa(int(visibility.Seconds())),
		"RedrivePolicy":     redrive,
	})}
}

func createQueue(t testing.TB, client *sqs.Client, name string, attributes map[string]string) string {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	return *out.QueueUrl
}
