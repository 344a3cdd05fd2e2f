package stacklocal

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// patience is long enough that even on a busy machine only a hang exceeds it.
const patience = time.Minute

// TestTwoStacks runs the same stack twice side by side.
func TestTwoStacks(t *testing.T) {
	deployed := resolved(t, nil)
	first, second := Start(t, deployed, Options{}), Start(t, deployed, Options{})
	for name, output := range first.Outputs {
		if output == second.Outputs[name] || output == deployed.Outputs[name] {
			t.Errorf("%s is %s and %s, on AWS %s", name, output, second.Outputs[name], deployed.Outputs[name])
		}
	}
	for _, s := range []*Stack{first, second} {
		wantPong(t, s.Outputs["HttpUrl"]+"/ping")
		wantOneReply(t, s.Outputs["SocketUrl"])
	}
}

func wantPong(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "PONG!" {
		t.Errorf("got %d %q, %v; want 200 PONG!", response.StatusCode, body, err)
	}
}

// wantOneReply sends on a route that has no response and on one that has.
func wantOneReply(t *testing.T, url string) {
	t.Helper()
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for _, frame := range []string{`{"action":"silent","ref":"silent"}`, `{"action":"other","ref":"other"}`} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	// The gateway handles the frames of one client one after the other.
	if _, reply, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(reply), `"ref":"other"`) {
		t.Errorf("the first reply is %s, %v; want one to the second frame", reply, err)
	}
}

func TestQueuesAreThoseOfTheTemplate(t *testing.T) {
	s := Start(t, resolved(t, nil), Options{})
	url := s.Outputs["JobsUrl"]
	out, err := awslocal.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"VisibilityTimeout": "77", "MaximumMessageSize": "2048", "DelaySeconds": "1",
		"RedrivePolicy": `{"deadLetterTargetArn":"` + s.queueARN(t, s.deadLetters()) + `","maxReceiveCount":3}`,
	} {
		if got := out.Attributes[name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	wantInvocation(t, s, 1)
}

// wantInvocation puts a message on the queue and waits for the n-th invocation.
func wantInvocation(t *testing.T, s *Stack, n int) {
	t.Helper()
	url := s.Outputs["JobsUrl"]
	_, err := awslocal.SQS(t).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("{}")})
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, patience, "the function is invoked with the message", func() bool {
		begun := 0
		for _, e := range s.Functions["ping"].Environments() {
			begun += e.Invocations
		}
		return begun == n
	})
}

// deadLetters is the name of the queue without a redrive policy.
func (s *Stack) deadLetters() string {
	names := slices.Collect(maps.Keys(s.plan.queues))
	return names[slices.IndexFunc(names, func(name string) bool { return s.plan.queues[name].RedrivePolicy == nil })]
}

func TestTableIsThatOfTheTemplate(t *testing.T) {
	s := Start(t, resolved(t, nil), Options{})
	name, client := s.Outputs["TableName"], awslocal.DynamoDB(t)
	table, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, key := range table.Table.KeySchema {
		keys = append(keys, string(key.KeyType)+" "+*key.AttributeName)
	}
	if want := []string{"HASH user", "RANGE at"}; !slices.Equal(keys, want) {
		t.Errorf("the keys are %v, want %v", keys, want)
	}
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil || aws.ToString(ttl.TimeToLiveDescription.AttributeName) != "until" {
		t.Errorf("rows live until %+v, %v", ttl, err)
	}
}

// managementEndpoint is where the one API that has sockets takes posts.
func (s *Stack) managementEndpoint() string {
	for id := range s.sockets {
		return "http://" + s.servers[id].Listener.Addr().String()
	}
	return ""
}

func TestFunctionsAreThoseOfTheTemplate(t *testing.T) {
	s := Start(t, resolved(t, nil), Options{})
	cfg := s.config(t, "service-ping")
	slices.Sort(cfg.Env)
	want := lambdalocal.Config{
		Name: "service-ping", Timeout: 5 * time.Second, Memory: 256, Concurrency: 3 + 2,
		Env: []string{
			"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=WARN",
			"ENDPOINT=" + s.managementEndpoint() + "/test",
			"QUEUE=" + s.Outputs["JobsUrl"], "SIZE=7", "TABLE=" + s.Outputs["TableName"],
		},
	}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Error(diff)
	}
	if n := s.config(t, "service-default").Concurrency; n != environments {
		t.Errorf("%d environments for a function without event source, want %d", n, environments)
	}
}

func TestAddressForWhichThereIsNothing(t *testing.T) {
	var f functionProperties
	f.Environment.Variables = map[string]scalar{"BUCKET": "https://bucket.s3.ap-northeast-2.amazonaws.com/key"}
	if env, err := new(Stack).variables(f); err == nil || !strings.Contains(err.Error(), "BUCKET is https://bucket.s3") {
		t.Errorf("%v, %v; want an error that names the variable", env, err)
	}
}

// TestFaultySources has the event source read the queue through the faults.
func TestFaultySources(t *testing.T) {
	for _, faulty := range []bool{true, false} {
		s := Start(t, resolved(t, nil), Options{FaultySources: faulty, Overrides: map[string]any{
			"Jobs/DelaySeconds": 0, "Source/ScalingConfig/MaximumConcurrency": 1,
		}})
		var seen atomic.Bool
		s.SQS.Set(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
			seen.Store(true)
			next.ServeHTTP(w, r)
		})
		wantInvocation(t, s, 1) // ends the poll that began before
		wantInvocation(t, s, 2)
		if seen.Load() != faulty {
			t.Errorf("faulty %t, and the event source was seen there: %t", faulty, seen.Load())
		}
	}
}

func TestSourceThatIsNotEnabled(t *testing.T) {
	s := Start(t, resolved(t, nil), Options{Overrides: map[string]any{"Source/Enabled": false, "Jobs/DelaySeconds": 0}})
	url, client := s.Outputs["JobsUrl"], awslocal.SQS(t)
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("{}")}); err != nil {
		t.Fatal(err)
	}
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 2})
	if err != nil || len(out.Messages) != 1 {
		t.Errorf("%d messages, %v; want the one that was sent", len(out.Messages), err)
	}
}

func TestReportsOfPartsOfABatch(t *testing.T) {
	failure := errors.New("failed")
	f := func(context.Context, []byte) ([]byte, error) { return []byte("a report"), failure }
	for want, types := range map[string][]string{"": nil, "a report": {partialBatches}} {
		response, err := sourceProperties{FunctionResponseTypes: types}.invoke(f)(t.Context(), nil)
		if string(response) != want || err != failure {
			t.Errorf("%v: %s, %v; want %q and the error", types, response, err, want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, arn string
		want         bool
	}{
		{"", "arn:any", true},
		{"arn:a/dev/$default", "arn:a/dev/$default", true},
		{"arn:a/dev/$*connect", "arn:a/dev/$connect", true},
		{"arn:a/dev/$*connect", "arn:a/dev/$disconnect", true},
		{"arn:a/dev/$?connect", "arn:a/dev/$connect", false},
		{"arn:a/dev", "arn:a/dev/$default", false},
		{"arn:a/*", "arn:b/dev", false},
		{"arn.a", "arn:a", false},
	} {
		if got := covers(c.pattern, c.arn); got != c.want {
			t.Errorf("%s covers %s: %t", c.pattern, c.arn, got)
		}
	}
}
