// Package stacklocal runs a CloudFormation stack on this machine: queues on the SQS
// server and a table in DynamoDB Local with the template's attributes, functions with its
// environment, timeouts and event sources, and its routes on the gateway that stands in
// for API Gateway.
//
// Functions are built for this machine from the sources of the zip files that the
// template names. The template's values are kept, except addresses on AWS:
// AWS_ENDPOINT_URL_SQS, _DYNAMODB and _SSM name the local servers, and a queue
// URL, table name or API host in the environment or an output becomes the local one. So
// one stack can run several times side by side.
//
// An unknown resource type, property or value is an error, so that nothing new in the
// template is overlooked. Types and properties that make no difference here are listed
// with the reason. A route to a function that its API may not invoke is an error too, and
// so is such an authorizer. A function's calls of DynamoDB, SQS and the Parameter Store
// are refused unless its role allows them; nothing else of IAM is enforced, and nothing is
// throttled.
package stacklocal

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/cloudformation"
	"serverless-websocket/integration/environments/lambdalocal"
)

// Options change settings of the template for a test, and let it observe or disturb the
// stack. The zero value changes nothing.
type Options struct {
	// Overrides replace values of the template, by logical id and path:
	// "JobsQueue/VisibilityTimeout". The resource must exist, the property need not.
	Overrides map[string]any
	// Programs are the functions' executables by name, instead of those built here;
	// Emulator runs them if they are built for another machine.
	Programs map[string]string
	Emulator string
	// Secrets are the parameters of the account, by name, each a SecureString.
	Secrets map[string]string
	// Log receives the functions' output, one whole line at a time.
	Log io.Writer
	// GatewayLog receives errors of connections and integrations.
	GatewayLog *slog.Logger
	// WriteTimeout is that of the gateway; see wsgateway.Config.
	WriteTimeout time.Duration
	// BeforePost is called before each post to a client. It may be called
	// concurrently.
	BeforePost func(*http.Request)
	// FaultySources makes the event sources share the functions' path to SQS, with its
	// faults.
	FaultySources bool
}

// Stack is a running stack.
type Stack struct {
	// Outputs are those of the template, with addresses on this machine.
	Outputs map[string]string
	// Functions are by the name of their program: "fanout".
	Functions map[string]*lambdalocal.Function
	// DynamoDB and SQS are for faults on the functions' path to them.
	DynamoDB, SQS lambdalocal.Switch

	plan      *plan
	options   Options
	addresses addresses
	servers   map[string]*httptest.Server // by the APIs' ids
	sockets   map[string]net.Listener
}

// Start starts the stack for the duration of the test. Afterwards, the sockets are closed
// first, and then everything else.
func Start(t testing.TB, deployed *cloudformation.Stack, o Options) *Stack {
	t.Helper()
	p, err := read(deployed, o.Overrides)
	if err != nil {
		t.Fatalf("stack %s: %v", deployed.Name, err)
	}
	s := &Stack{plan: p, options: o, Functions: make(map[string]*lambdalocal.Function)}
	s.createTables(t)
	s.createQueues(t)
	s.listen(t)
	s.startFunctions(t)
	s.startSources(t)
	s.serve(t)
	s.Outputs = make(map[string]string)
	for name, value := range deployed.Outputs {
		s.Outputs[name] = s.addresses.local(value)
	}
	return s
}

// env is the environment with which a function reaches other services, by its role.
func (s *Stack) env(t testing.TB, f functionProperties, parameters string) []string {
	t.Helper()
	role := s.permissions(nameOf(f.Role))
	return awslocal.Env(
		role.guard(t, "dynamodb", awslocal.DynamoDBEndpoint(t), s.DynamoDB.Serve),
		role.guard(t, "sqs", awslocal.SQSEndpoint(t), s.SQS.Serve),
		role.guard(t, "ssm", parameters, pass),
	)
}
