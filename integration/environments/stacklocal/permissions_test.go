package stacklocal

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/integration/environments/awslocal"
)

func TestWhatACallNeeds(t *testing.T) {
	for _, test := range []struct {
		service, operation, body string
		want                     []request
	}{
		{"dynamodb", "Query", `{"TableName":"rows"}`, []request{{"dynamodb:Query", "rows"}}},
		{"dynamodb", "BatchWriteItem", `{"RequestItems":{"rows":[]}}`, []request{{"dynamodb:BatchWriteItem", "rows"}}},
		{"dynamodb", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"rows"}},{"ConditionCheck":{"TableName":"others"}}]}`,
			[]request{{"dynamodb:PutItem", "rows"}, {"dynamodb:ConditionCheckItem", "others"}}},
		{"sqs", "SendMessageBatch", `{"QueueUrl":"http://queue"}`, []request{{"sqs:SendMessage", "http://queue"}}},
		{"ssm", "GetParameter", `{"Name":"/a/b"}`, []request{{"ssm:GetParameter", "/a/b"}}},
		{"dynamodb", "ListTables", `{}`, nil},
		{"dynamodb", "Query", `TableName=rows`, nil},
	} {
		if got := requests(test.service, test.operation, []byte(test.body)); !slices.Equal(got, test.want) {
			t.Errorf("%s %s: %v, want %v", test.operation, test.body, got, test.want)
		}
	}
}

// A role allows its own actions on its own resources, each resource by itself.
func TestPermissions(t *testing.T) {
	s := Start(t, resolved(t, nil), Options{})
	queue := nameOf(firstQueue(s))
	role := roleProperties{}
	role.Policies = append(role.Policies, policyFor("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:"+queue))
	s.plan.roles["sender"] = role
	client := awslocal.SQSAt(s.permissions("sender").guard(t, "sqs", awslocal.SQSEndpoint(t), pass))
	url, text := s.queueURL(queue), "x"
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}); err != nil {
		t.Error(err)
	}
	_, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("another action: %v", err)
	}
	other := url + "-other"
	_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &other, MessageBody: &text})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("another queue: %v", err)
	}
}

func firstQueue(s *Stack) string {
	for name := range s.plan.queues {
		return name
	}
	return ""
}

func policyFor(action, resource string) (p policy) {
	p.PolicyDocument.Statement = []statement{{Effect: "Allow", Action: texts{action}, Resource: texts{resource}}}
	return p
}
