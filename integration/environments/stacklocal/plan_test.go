package stacklocal

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/cloudformation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

// resolved is the stack of testdata, with values at paths of its resources replaced.
func resolved(t *testing.T, changes map[string]any) *cloudformation.Stack {
	t.Helper()
	source, err := os.ReadFile("testdata/template.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(source, &all); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(changes)) { // a resource before its properties
		value := changes[path]
		set(all["Resources"].(map[string]any), strings.Split(path, "/"), value)
	}
	if source, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	template, err := cloudformation.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := template.Resolve(cloudformation.Environment{
		Region: awslocal.Region, AccountID: "123456789012", StackName: "service-test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// TestRefused changes one thing in a stack that could run.
func TestRefused(t *testing.T) {
	if _, err := read(resolved(t, nil), nil); err != nil {
		t.Fatal(err)
	}
	const elsewhere = "arn:aws:execute-api:ap-northeast-2:123456789012:other/*"
	for _, c := range []struct {
		path  string
		value any
		want  string
	}{
		{"LogGroup/Type", "AWS::Kinesis::Stream", "LogGroup, of type AWS::Kinesis::Stream: the type has no counterpart"},
		{"Jobs/Properties/FifoQueue", true, `unknown field "FifoQueue"`},
		{"Table/Properties/StreamSpecification", map[string]any{}, `unknown field "StreamSpecification"`},
		{"Ping/Properties/VpcConfig", map[string]any{}, `unknown field "VpcConfig"`},
		{"Jobs/Properties/RedrivePolicy/deadLetterTargetArn", "arn:aws:sqs:r:1:gone", "no dead-letter queue arn:aws:sqs:r:1:gone"},
		{"Ping/Properties/Timeout", "long", "invalid syntax"},
		{"Ping/Properties/Runtime", "go1.x", `runtime "go1.x"`},
		{"Ping/Properties/Handler", "main", `handler "main"`},
		{"Ping/Properties/Role", "arn:aws:iam::123456789012:role/gone", `no role "arn:aws:iam::123456789012:role/gone"`},
		{"Default/Properties/FunctionName", "service-ping", `another "service-ping"`},
		{"Source/Properties/EventSourceArn", "arn:aws:sqs:r:1:gone", "no queue arn:aws:sqs:r:1:gone"},
		{"Source/Properties/FunctionName", "gone", "no function gone"},
		{"Source/Properties/FunctionResponseTypes", []string{"Other"}, "responses of type Other"},
		{"Source/Properties/FilterCriteria", map[string]any{}, `unknown field "FilterCriteria"`},
		{"Sockets/Properties/RouteSelectionExpression", "$request.body.type", "selects routes by $request.body.type"},
		{"SocketsStage/Properties/ApiId", "other", "it has no stage"},
		{"HttpStage/Properties/StageName", "live", "stage live: only $default"},
		{"HttpStage/Properties/AutoDeploy", false, `stage $default: its API has no deployment ""`},
		{"SocketsStage/Properties/DeploymentId", "gone", `stage test: its API has no deployment "gone"`},
		{"Deployment/Properties/ApiId", map[string]any{"Ref": "Http"}, "stage test: its API has no deployment"},
		{"SocketsStage/Properties/DefaultRouteSettings/ThrottlingRateLimit", 0, "stage test: it refuses everything"},
		{"SocketsStage/Properties/DefaultRouteSettings/ThrottlingBurstLimit", "0", "stage test: it refuses everything"},
		{"SocketsStage/Properties/RouteSettings", map[string]any{}, `unknown field "RouteSettings"`},
		{"HttpIntegration/Properties/PayloadFormatVersion", "1.0", `events of version "1.0"`},
		{"SocketsIntegration/Properties/IntegrationType", "MOCK", "integration of type MOCK"},
		{"SocketsIntegration/Properties/IntegrationUri", "arn:aws:lambda:r:1:function:gone", "no function at"},
		{"SocketsIntegration/Properties/ApiId", map[string]any{"Ref": "Http"}, "its API has no integration"},
		{"DefaultRoute/Properties/Target", "integrations/gone", `no integration "gone"`},
		{"DefaultRoute/Properties/AuthorizationType", "AWS_IAM", "authorization AWS_IAM is not served"},
		{"DefaultRoute/Properties/ModelSelectionExpression", "any", `unknown field "ModelSelectionExpression"`},
		{"SocketsPermission/Properties/SourceArn", elsewhere, "route $default: the API has no permission"},
		{"SocketsPermission/Properties/FunctionName", map[string]any{"Fn::GetAtt": []string{"Ping", "Arn"}}, "no permission"},
		{"SocketsPermission/Properties/Action", "lambda:GetFunction", "no permission"},
		{"SocketsPermission/Properties/Principal", "sns.amazonaws.com", "no permission"},
		{"HttpPermission/Properties/SourceArn", elsewhere, "route GET /ping: the API has no permission"},
	} {
		_, err := read(resolved(t, map[string]any{c.path: c.value}), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s is %v: %v, want an error with %q", c.path, c.value, err, c.want)
		}
	}
}

// authorized has an authorizer on $connect, and another change.
func authorized(path string, value any) map[string]any {
	return map[string]any{
		"Authorizer": map[string]any{"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": map[string]any{
			"ApiId": map[string]any{"Ref": "Sockets"}, "Name": "any", "AuthorizerType": "REQUEST",
			"AuthorizerUri":  map[string]any{"Fn::GetAtt": []string{"Default", "Arn"}},
			"IdentitySource": []string{"route.request.header.Host", "route.request.querystring.token"},
		}},
		"AuthorizerPermission": map[string]any{"Type": "AWS::Lambda::Permission", "Properties": map[string]any{
			"FunctionName": map[string]any{"Fn::GetAtt": []string{"Default", "Arn"}},
			"Action":       "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
			"SourceArn": map[string]any{"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Sockets}/authorizers/*"},
		}},
		"SilentRoute/Properties/RouteKey":          "$connect",
		"SilentRoute/Properties/AuthorizationType": "CUSTOM",
		"SilentRoute/Properties/AuthorizerId":      map[string]any{"Ref": "Authorizer"},
		path:                                       value,
	}
}

// TestAuthorizer changes one thing in a stack with an authorizer.
func TestAuthorizer(t *testing.T) {
	for _, c := range []struct {
		path  string
		value any
		want  string
	}{
		{"SilentRoute/Properties/AuthorizerId", map[string]any{"Ref": "Authorizer"}, ""},
		{"SilentRoute/Properties/AuthorizerId", "gone", `route $connect: its API has no authorizer "gone"`},
		{"SilentRoute/Properties/RouteKey", "silent", "only $connect can have one"},
		{"Authorizer/Properties/ApiId", map[string]any{"Ref": "Http"}, "its API has no authorizer"},
		{"Authorizer/Properties/AuthorizerType", "JWT", "an authorizer of type JWT"},
		{"Authorizer/Properties/AuthorizerUri", "arn:aws:lambda:r:1:function:gone", "no function at"},
		{"Authorizer/Properties/IdentitySource", []string{"stageVariables.a"}, `identity source "stageVariables.a" is not supported`},
		{"Authorizer/Properties/AuthorizerResultTtlInSeconds", 300, `unknown field "AuthorizerResultTtlInSeconds"`},
		{"AuthorizerPermission/Properties/SourceArn", "arn:aws:execute-api:ap-northeast-2:123456789012:other/*", "no permission"},
	} {
		changes := authorized(c.path, c.value)
		p, err := read(resolved(t, changes), nil)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s is %v: %v, want an error with %q", c.path, c.value, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for id, api := range p.apis {
			routes, err := p.routesOf(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range routes {
				if has := r.authorizer != nil; has != (r.key == "$connect") || has && r.authorizer.function != "service-default" {
					t.Errorf("route %s of an API of type %s has the authorizer %+v", r.key, api.ProtocolType, r.authorizer)
				}
			}
		}
	}
}

// Without an identity source, API Gateway answers 401 and asks no one.
func TestIdentitySources(t *testing.T) {
	sources, err := parseSources([]string{"route.request.header.Auth", "route.request.querystring.token"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header, query string
		asked         bool
	}{
		{"a", "b", true}, {"", "b", false}, {"a", "", false}, {"", "", false},
	} {
		asked := false
		guarded := authorizer{sources: sources}.guard(func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (
			response events.APIGatewayCustomAuthorizerResponse, err error) {
			asked = true
			return response, nil
		})
		_, err := guarded(t.Context(), events.APIGatewayCustomAuthorizerRequestTypeRequest{
			Headers: map[string]string{"auth": c.header}, QueryStringParameters: map[string]string{"token": c.query},
		})
		if asked != c.asked || (err == nil) != c.asked {
			t.Errorf("%+v: asked %t, %v", c, asked, err)
		}
	}
}

func TestOverrides(t *testing.T) {
	stack := resolved(t, nil)
	overrides := map[string]any{
		"Jobs/VisibilityTimeout":             2,
		"Jobs/RedrivePolicy/maxReceiveCount": 9,
		"Ping/Environment/Variables/NEW":     "value",
		"Default/Environment/Variables/NEW":  "another",
	}
	p, err := read(stack, overrides)
	if err != nil || len(overrides) != 4 {
		t.Fatalf("%v, and there are %d of 4 left", err, len(overrides))
	}
	jobs := p.queues["service-test-Jobs-"+suffix(stack, "Jobs")]
	if jobs.VisibilityTimeout != "2" || jobs.RedrivePolicy.MaxReceiveCount != 9 || jobs.MaximumMessageSize != "2048" {
		t.Errorf("the queue is %+v", jobs)
	}
	if variables := p.functions["service-ping"].Environment.Variables; variables["NEW"] != "value" || variables["SIZE"] != "7" {
		t.Errorf("the environment is %v", variables)
	}
	if again, err := read(stack, nil); err != nil || again.functions["service-ping"].Environment.Variables["NEW"] != "" {
		t.Errorf("the stack itself has changed: %v", err)
	}
	for _, nowhere := range []string{"Gone/Timeout", "LogGroups/Name"} {
		if _, err := read(stack, map[string]any{nowhere: 1}); err == nil || !strings.Contains(err.Error(), "nothing to override at "+nowhere) {
			t.Errorf("%s: %v", nowhere, err)
		}
	}
}

// suffix is the end of a generated name.
func suffix(stack *cloudformation.Stack, id string) string {
	name := stack.Resources[id].PhysicalID
	return name[strings.LastIndex(name, "-")+1:]
}

// A route responds only if it has both the expression and the resource.
func TestResponds(t *testing.T) {
	for _, c := range []struct {
		changes map[string]any
		want    bool
	}{
		{nil, true},
		{map[string]any{"DefaultRoute/Properties/RouteResponseSelectionExpression": nil}, false},
		{map[string]any{"DefaultResponse/Properties/RouteId": map[string]any{"Ref": "SilentRoute"}}, false},
	} {
		stack := resolved(t, c.changes)
		p, err := read(stack, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.responds(stack.Resources["DefaultRoute"].PhysicalID); got != c.want {
			t.Errorf("with %v the route responds: %t", c.changes, got)
		}
	}
}
