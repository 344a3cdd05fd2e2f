package awslocal_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/awslocal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

func TestDynamoDBKeepsAnItem(t *testing.T) {
	client, table := awslocal.DynamoDB(t), awslocal.CreateTable(t)
	item := map[string]types.AttributeValue{"connection_id": &types.AttributeValueMemberS{Value: "a="}}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: item})
	if err != nil || len(got.Item) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSQSMovesAMessageToTheDeadLetterQueue(t *testing.T) {
	client, queue := awslocal.SQS(t), awslocal.CreateQueue(t, time.Second, 1)
	_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue.URL, MessageBody: aws.String("poison")})
	if err != nil {
		t.Fatal(err)
	}
	if got := receive(t, client, queue.URL, 0); got != "poison" {
		t.Fatalf("received %q", got)
	}
	// The server moves it when it is requested again after the second.
	if got := receive(t, client, queue.URL, 2); got != "" {
		t.Fatalf("received %q a second time", got)
	}
	if got := receive(t, client, queue.DeadLetterURL, 20); got != "poison" {
		t.Errorf("the dead-letter queue holds %q", got)
	}
}

func receive(t *testing.T, client *sqs.Client, queue string, wait int32) string {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: wait})
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
	}
	return strings.Join(bodies, ",")
}

func TestProxyInjectsAFaultAndPassesTheRestOn(t *testing.T) {
	endpoint := awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		if operation == "ListTables" {
			next.ServeHTTP(w, r)
			return
		}
		awslocal.WriteError(w, http.StatusBadRequest, "ResourceNotFoundException")
	})
	client := awslocal.DynamoDBAt(endpoint)
	if _, err := client.ListTables(t.Context(), nil); err != nil {
		t.Error(err)
	}
	_, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("any")})
	var injected *types.ResourceNotFoundException
	if !errors.As(err, &injected) || injected.ErrorMessage() != "injected" {
		t.Errorf("got %v, want the injected error", err)
	}
}
