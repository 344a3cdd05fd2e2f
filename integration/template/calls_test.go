package template_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/dynamostore"
)

// eventSourceActions are the actions with which Lambda itself reads queues, using the
// function's role.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
var eventSourceActions = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

// transactions are the actions of which the transactions of our own methods consist; a
// transaction is none itself.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
var transactions = map[string][]string{
	"Subscribe":     {"dynamodb:ConditionCheckItem", "dynamodb:UpdateItem", "dynamodb:PutItem"},
	"Unsubscribe":   {"dynamodb:UpdateItem", "dynamodb:DeleteItem"},
	"Subscriptions": {"dynamodb:GetItem"},
	"Clear":         {"dynamodb:GetItem"},
	"Append":        {"dynamodb:ConditionCheckItem", "dynamodb:PutItem"},
}

// noActions are methods of the SDK's clients that make no calls: one returns the
// settings, another is for endpoint discovery, which is off; for the others see transactions.
var noActions = []string{"Options", "DescribeEndpoints", "TransactWriteItems", "TransactGetItems"}

// wrongCalls compares what each function can call with what its role allows, on any table
// or queue. The local stack checks on which, when a function calls.
func wrongCalls(t template) []string {
	called, err := actionsCalled()
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	for name := range t.functions() {
		needed := slices.Clone(called[name])
		if readsQueue(t, name) {
			needed = append(needed, eventSourceActions...)
		}
		allowed := t.allowed(name + "Role")
		for _, action := range needed {
			if !slices.Contains(allowed, action) {
				wrong = append(wrong, fmt.Sprintf("%s calls %s, which its role does not allow", name, action))
			}
		}
		for _, action := range allowed {
			if !slices.Contains(needed, action) {
				wrong = append(wrong, fmt.Sprintf("%s may call %s, but does not", name, action))
			}
		}
	}
	return wrong
}

func readsQueue(t template, function string) bool {
	for _, source := range t.ofType("AWS::Lambda::EventSourceMapping") {
		if source.text("Properties/FunctionName") == arn(function+"LambdaFunction") {
			return true
		}
	}
	return false
}

// allowed returns what a role allows besides logs and traces, which no function calls
// itself.
func (t template) allowed(role string) []string {
	var actions []string
	for _, s := range statements(t.at("Resources/" + role + "/Properties/Policies")) {
		for _, action := range list(s["Action"]) {
			name, _ := action.(string)
			if !strings.HasPrefix(name, "logs:") && !strings.HasPrefix(name, "xray:") {
				actions = append(actions, name)
			}
		}
	}
	return actions
}

// actionsCalled returns the actions of each function. The linker keeps a method of the
// SDK's clients only if something can call it.
var actionsCalled = sync.OnceValues(func() (map[string][]string, error) {
	executables, err := programs()
	found := map[string][]string{}
	for function, program := range executables {
		found[strings.ToUpper(function[:1])+function[1:]] = actionsIn(program)
	}
	return found, err
})

var exported = regexp.MustCompile(`^[A-Z]\w*`)

// methodsIn reads the names of a type's exported methods from an executable.
func methodsIn(program []byte, receiver string) (found []string) {
	for _, rest := range bytes.Split(program, []byte(receiver))[1:] {
		found = append(found, string(exported.Find(rest[:min(len(rest), 64)])))
	}
	return found
}

// actionsIn reads the names of methods from an executable.
func actionsIn(program []byte) []string {
	actions := map[string]bool{}
	for _, service := range []string{"dynamodb", "sqs", "ssm"} {
		for _, method := range methodsIn(program, "aws-sdk-go-v2/service/"+service+".(*Client).") {
			if method != "" && !slices.Contains(noActions, method) {
				actions[service+":"+strings.TrimSuffix(method, "Batch")] = true
			}
		}
	}
	for _, store := range []reflect.Type{reflect.TypeFor[dynamostore.Subscriptions](), reflect.TypeFor[dynamostore.MessageLog]()} {
		for _, method := range methodsIn(program, store.PkgPath()+".(*"+store.Name()+").") {
			for _, action := range transactions[method] {
				actions[action] = true
			}
		}
	}
	if poster := reflect.TypeFor[apigwposter.Poster]().PkgPath(); bytes.Contains(program, []byte(poster+".")) {
		actions["execute-api:ManageConnections"] = true
	}
	return slices.Sorted(maps.Keys(actions))
}
