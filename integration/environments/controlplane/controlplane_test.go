package controlplane

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/cloudformation/validator"
)

const seoul, dublin = "ap-northeast-2", "eu-west-1"

// start starts a control plane whose validator refuses anything with a property Wrong.
func start(t *testing.T) *Server {
	t.Helper()
	s := Start(func(template []byte) ([]validator.Finding, error) {
		if !strings.Contains(string(template), `"Wrong"`) {
			return []validator.Finding{{Severity: "WARN", Message: "could be better"}}, nil
		}
		f := validator.Finding{Severity: "FATAL", PropertyPath: "Properties.Wrong", Message: "not allowed"}
		f.Entity.LogicalID, f.Entity.ResourceType = "Queue", "AWS::SQS::Queue"
		return []validator.Finding{f}, nil
	})
	t.Cleanup(s.Close)
	return s
}

// ask sends a request signed like an SDK's, and returns status and body.
func ask(t *testing.T, s *Server, region, service, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=K/20261126/%s/%s/aws4_request, Signature=0", region, service))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// stacks calls CloudFormation with the action and its parameters by name and value.
func stacks(t *testing.T, s *Server, region, action string, parameters ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "StackName": {"app-dev"}, "ChangeSetName": {"changes"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return ask(t, s, region, "cloudformation", http.MethodPost, "/", form.Encode())
}

// deploy creates a change set of the kind and executes it; both must be accepted.
func deploy(t *testing.T, s *Server, region, kind, template string, parameters ...string) {
	t.Helper()
	parameters = append([]string{"ChangeSetType", kind, "TemplateBody", template, "Capabilities.member.1", "CAPABILITY_NAMED_IAM"}, parameters...)
	for _, action := range []string{"CreateChangeSet", "ExecuteChangeSet"} {
		if status, body := stacks(t, s, region, action, parameters...); status != http.StatusOK {
			t.Fatalf("%s: %d %s", action, status, body)
		}
	}
}

func template(resources string) string { return `{"Resources": {` + resources + `}}` }

const (
	theBucket = `"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "code"}}`
	aFunction = `, "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "ping", "Code": {"S3Bucket": "code", "S3Key": "ping.zip"}}}`
	role      = `"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "worker"}}`
	noName    = `"Role": {"Type": "AWS::IAM::Role"}`
	queue     = `"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}`
	wrong     = `"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Wrong": 1}}`
)

func TestUnknownCallsAreNoted(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(theBucket))
	ask(t, s, seoul, "s3", http.MethodPut, "/code/ping.zip?x-id=PutObject", "zip")
	deploy(t, s, seoul, "UPDATE", template(theBucket+aFunction))
	calls := [][]string{
		{"cloudformation", http.MethodPost, "/", "Action=CancelUpdateStack&StackName=app-dev"},
		{"s3", http.MethodPost, "/code/large.zip?uploads", ""},
		{"s3", http.MethodGet, "/code?versions", ""},
		{"lambda", http.MethodGet, "/2015-03-31/functions/ping/policy", ""},
		{"ecr", http.MethodPost, "/", "{}"},
		{"sts", http.MethodPost, "/", "Action=AssumeRole"},
		{"dynamodb", http.MethodPost, "/", "{}"},
	}
	for i, c := range calls {
		if status, body := ask(t, s, seoul, c[0], c[1], c[2], c[3]); status != http.StatusNotImplemented || !strings.Contains(body, "does not know") {
			t.Errorf("%v: %d %s", c, status, body)
		}
		if unknown := s.Unknown(); len(unknown) != i+1 || !strings.HasPrefix(unknown[i], c[0]) {
			t.Fatalf("after %v: recorded %q", c, unknown)
		}
	}
}

func TestStackExistsAlready(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(queue))
	status, body := stacks(t, s, seoul, "CreateChangeSet", "ChangeSetType", "CREATE", "TemplateBody", template(theBucket))
	if status != http.StatusBadRequest || !strings.Contains(body, "already exists") {
		t.Errorf("%d %s", status, body)
	}
}

func TestRemovedFunction(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(theBucket))
	ask(t, s, seoul, "s3", http.MethodPut, "/code/ping.zip?x-id=PutObject", "zip")
	deploy(t, s, seoul, "UPDATE", template(theBucket+aFunction))
	if code, _ := s.Code(seoul, "ping"); string(code) != "zip" {
		t.Errorf("the code is %q", code)
	}
	deploy(t, s, seoul, "UPDATE", template(theBucket))
	if _, ok := s.Code(seoul, "ping"); ok {
		t.Error("the function is still there")
	}
}

func TestList(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(theBucket))
	for _, name := range []string{"one/ping.zip", "other/ping.zip"} {
		ask(t, s, seoul, "s3", http.MethodPut, "/code/"+name+"?x-id=PutObject", "zip")
	}
	_, body := ask(t, s, seoul, "s3", http.MethodGet, "/code?list-type=2&prefix=one%2F", "")
	if !strings.Contains(body, "<Key>one/ping.zip</Key>") || strings.Contains(body, "other") {
		t.Errorf("the listing is %s", body)
	}
}

func TestLogsSince(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(`"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "ping"}}`))
	s.Log(seoul, "ping", "one", "hello")
	for since, want := range map[int64]bool{0: true, now().UnixMilli() + 60_000: false} {
		request := fmt.Sprintf(`{"logGroupName":"ping","logStreamNames":["one"],"startTime":%d}`, since)
		_, body := ask(t, s, seoul, "logs", http.MethodPost, "/", request, "X-Amz-Target", "Logs_20140328.FilterLogEvents")
		if strings.Contains(body, "hello") != want {
			t.Errorf("since %d: %s", since, body)
		}
	}
}

func TestFailedCreation(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(wrong))
	if _, body := stacks(t, s, seoul, "DescribeStacks"); !strings.Contains(body, "<StackStatus>ROLLBACK_COMPLETE<") {
		t.Errorf("the stack is %s", body)
	}
	status, body := stacks(t, s, seoul, "CreateChangeSet", "ChangeSetType", "UPDATE", "TemplateBody", template(queue))
	if status != http.StatusBadRequest || !strings.Contains(body, "can not be updated") {
		t.Errorf("an update of it: %d %s", status, body)
	}
}

func TestNothingChanged(t *testing.T) {
	s := start(t)
	parameters := []string{"ChangeSetType", "UPDATE", "TemplateBody", template(queue), "Tags.member.1.Key", "STAGE", "Tags.member.1.Value", "dev"}
	deploy(t, s, seoul, "CREATE", template(queue), parameters[4:]...)
	if got := s.Tags(seoul, "app-dev"); got["STAGE"] != "dev" {
		t.Errorf("the tags are %v", got)
	}
	for value, want := range map[string]string{"dev": "<Status>FAILED<", "test": "<Status>CREATE_COMPLETE<"} {
		parameters[len(parameters)-1] = value
		stacks(t, s, seoul, "CreateChangeSet", parameters...)
		if _, body := stacks(t, s, seoul, "DescribeChangeSet"); !strings.Contains(body, want) {
			t.Errorf("with the tag %s: %s", value, body)
		}
	}
	parameters[len(parameters)-1] = "dev"
	stacks(t, s, seoul, "CreateChangeSet", parameters...)
	if status, body := stacks(t, s, seoul, "ExecuteChangeSet"); status != http.StatusBadRequest || !strings.Contains(body, "InvalidChangeSetStatus") {
		t.Errorf("it is executed without a change: %d %s", status, body)
	}
}

func TestDeleteStack(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(theBucket))
	stacks(t, s, seoul, "UpdateTerminationProtection", "EnableTerminationProtection", "true")
	if !s.Protected(seoul, "app-dev") {
		t.Error("the stack is not protected")
	}
	if status, body := stacks(t, s, seoul, "DeleteStack"); status != http.StatusBadRequest || !strings.Contains(body, "TerminationProtection") {
		t.Errorf("the deletion of a protected stack: %d %s", status, body)
	}
	stacks(t, s, seoul, "UpdateTerminationProtection", "EnableTerminationProtection", "false")
	ask(t, s, seoul, "s3", http.MethodPut, "/code/ping.zip?x-id=PutObject", "zip")
	stacks(t, s, seoul, "DeleteStack")
	if _, body := stacks(t, s, seoul, "DescribeStackEvents"); !strings.Contains(body, "The bucket you tried to delete is not empty") {
		t.Errorf("the events of a stack whose bucket is not empty: %s", body)
	}
	ask(t, s, seoul, "s3", http.MethodPost, "/code?delete", "<Delete><Object><Key>ping.zip</Key></Object></Delete>")
	stacks(t, s, seoul, "DeleteStack")
	if status, _ := stacks(t, s, seoul, "DescribeStacks"); status != http.StatusBadRequest {
		t.Error("the stack is still there")
	}
	if status, _ := ask(t, s, seoul, "s3", http.MethodHead, "/code", ""); status != http.StatusNotFound {
		t.Error("the bucket is still there")
	}
}

// The SDK sends streams in chunks, followed by a checksum.
func TestChunkedUpload(t *testing.T) {
	s := start(t)
	deploy(t, s, seoul, "CREATE", template(theBucket))
	const chunked = "3\r\nzip\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
	for length, want := range map[string]int{"3": http.StatusOK, "4": http.StatusBadRequest} {
		status, body := ask(t, s, seoul, "s3", http.MethodPut, "/code/ping.zip?x-id=PutObject", chunked,
			"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", length)
		if status != want {
			t.Errorf("for %s bytes: %d %s", length, status, body)
		}
	}
	if got := string(s.Objects("code")["ping.zip"]); got != "zip" {
		t.Errorf("the object is %q", got)
	}
}
