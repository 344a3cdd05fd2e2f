// Package stacklocal runs a CloudFormation stack on this machine: queues on the
// SQS server and a table in DynamoDB Local with the template's attributes,
// functions with its environment, timeouts and event sources, and its routes on
// the gateway that takes the place of API Gateway.
//
// Functions are built for this machine from the sources of the zip files that
// the template names. What the template says is kept, but for what would be an
// address on AWS: AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_DYNAMODB name the
// local servers, and wherever the environment or an output has the URL of a
// queue, the name of a table or the host of an API, it gets the local one. So one
// stack can run several times side by side.
//
// A resource type, a property or a value that this package does not know is an
// error, so that nothing new in the template is overlooked. Types and properties
// that make no difference here are listed with the reason. Another error is a route
// with a function that its API may not invoke; of IAM nothing else is enforced, and
// nothing is throttled.
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

// Options are what a test wants otherwise than the template has it, and what it
// wants to see or to disturb. The zero value changes nothing.
type Options struct {
	// Overrides are values in the place of those of the template, by logical id and
	// path: "JobsQueue/VisibilityTimeout". The resource has to be there, the property
	// need not.
	Overrides map[string]any
	// Programs are the functions' executables by their names, in the place of those
	// that are built here; Emulator runs them where they are for another machine.
	Programs map[string]string
	Emulator string
	// Log gets what the functions write, in whole lines, one at a time.
	Log io.Writer
	// GatewayLog takes what goes wrong in connections and integrations.
	GatewayLog *slog.Logger
	// WriteTimeout is that of the gateway; see wsgateway.Config.
	WriteTimeout time.Duration
	// BeforePost is called before each post to a client. It may be called
	// concurrently.
	BeforePost func(*http.Request)
	// FaultySources has the event sources share the functions' way to SQS, and the
	// faults that are put there.
	FaultySources bool
}

// Stack is a stack that runs.
type Stack struct {
	// Outputs are those of the template, with addresses on this machine.
	Outputs map[string]string
	// Functions are by the name of their program: "fanout".
	Functions map[string]*lambdalocal.Function
	// DynamoDB and SQS are for faults on the functions' way to them.
	DynamoDB, SQS lambdalocal.Switch

	plan      *plan
	options   Options
	addresses addresses
	servers   map[string]*httptest.Server // by the APIs' ids
	sockets   map[string]net.Listener
	sqs       string // the endpoint through which faults are seen
}

// Start starts the stack for the time of the test. After it, the sockets are
// closed first, and then all else.
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

// env is what Lambda would give a function to reach other services with.
func (s *Stack) env(t testing.TB) []string {
	t.Helper()
	dynamoDB := awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), s.DynamoDB.Serve)
	s.sqs = awslocal.Proxy(t, awslocal.SQSEndpoint(t), s.SQS.Serve)
	return awslocal.Env(dynamoDB, s.sqs)
}
