package stacklocal

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"serverless-websocket/integration/environments/awslocal"
)

func (s *Stack) createTables(t testing.TB) {
	t.Helper()
	for name, table := range s.plan.tables {
		local := name + "-" + rand.Text()
		if err := table.create(t, local); err != nil {
			t.Fatalf("table %s: %v", name, err)
		}
		s.addresses.add(name, local)
	}
}

func (p tableProperties) create(t testing.TB, name string) error {
	client := awslocal.DynamoDB(t)
	input := &dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamodbtypes.BillingMode(p.BillingMode)}
	for _, a := range p.AttributeDefinitions {
		input.AttributeDefinitions = append(input.AttributeDefinitions, dynamodbtypes.AttributeDefinition{
			AttributeName: &a.AttributeName, AttributeType: dynamodbtypes.ScalarAttributeType(a.AttributeType),
		})
	}
	for _, k := range p.KeySchema {
		input.KeySchema = append(input.KeySchema, dynamodbtypes.KeySchemaElement{
			AttributeName: &k.AttributeName, KeyType: dynamodbtypes.KeyType(k.KeyType),
		})
	}
	if _, err := client.CreateTable(t.Context(), input); err != nil {
		return err
	}
	if !p.TimeToLiveSpecification.Enabled {
		return nil
	}
	_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{
			AttributeName: &p.TimeToLiveSpecification.AttributeName, Enabled: aws.Bool(true),
		},
	})
	return err
}

// createQueues creates the dead-letter queues first.
func (s *Stack) createQueues(t testing.TB) {
	t.Helper()
	for name, queue := range s.plan.queues {
		if queue.RedrivePolicy == nil {
			s.createQueue(t, name, queue.attributes())
		}
	}
	for name, queue := range s.plan.queues {
		if queue.RedrivePolicy != nil {
			attributes := queue.attributes()
			attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`,
				s.queueARN(t, nameOf(queue.RedrivePolicy.DeadLetterTargetARN)), queue.RedrivePolicy.MaxReceiveCount)
			s.createQueue(t, name, attributes)
		}
	}
}

// attributes are all but the redrive policy, which names another queue.
func (p queueProperties) attributes() map[string]string {
	attributes := map[string]string{}
	for name, value := range map[string]scalar{
		"VisibilityTimeout": p.VisibilityTimeout, "MessageRetentionPeriod": p.MessageRetentionPeriod,
		"MaximumMessageSize": p.MaximumMessageSize, "DelaySeconds": p.DelaySeconds,
		"ReceiveMessageWaitTimeSeconds": p.ReceiveMessageWaitTimeSeconds,
		"SqsManagedSseEnabled":          p.SqsManagedSseEnabled,
	} {
		if value != "" {
			attributes[name] = string(value)
		}
	}
	return attributes
}

func (s *Stack) createQueue(t testing.TB, name string, attributes map[string]string) {
	t.Helper()
	local := name[:min(len(name), 50)] + "-" + rand.Text() // the maximum is 80 characters
	out, err := awslocal.SQS(t).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &local, Attributes: attributes})
	if err != nil {
		t.Fatalf("queue %s: %v", name, err)
	}
	s.addresses.add(s.plan.queueURLs[name], *out.QueueUrl)
}

// queueURL is the local URL of the queue.
func (s *Stack) queueURL(name string) string { return s.addresses.local(s.plan.queueURLs[name]) }

func (s *Stack) queueARN(t testing.TB, name string) string {
	t.Helper()
	url := s.queueURL(name)
	out, err := awslocal.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("queue %s: %v", name, err)
	}
	return out.Attributes["QueueArn"]
}
