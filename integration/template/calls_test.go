package template_test

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// storage holds the adapters that call AWS through a client of the SDK, with the
// prefix of their actions.
var storage = map[string]string{"adapters/dynamostore": "dynamodb:", "adapters/sqsqueue": "sqs:"}

// eventSourceActions are those by which Lambda itself reads the queue.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
var eventSourceActions = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

// wrongCalls compares what the adapters call with what the roles allow: no local
// table or queue refuses a call for want of a right.
func wrongCalls(t template) []string {
	called, err := actionsCalled()
	if err != nil {
		return []string{err.Error()}
	}
	allowed := map[string]bool{}
	for _, role := range t.ofType("AWS::IAM::Role") {
		for _, s := range statements(map[string]any(role)) {
			for _, action := range list(s["Action"]) {
				name, _ := action.(string)
				allowed[name] = true
			}
		}
	}
	var wrong []string
	for _, action := range called {
		if !allowed[action] {
			wrong = append(wrong, fmt.Sprintf("the code calls %s, which no role allows", action))
		}
	}
	for action := range allowed {
		stores := strings.HasPrefix(action, "dynamodb:") || strings.HasPrefix(action, "sqs:")
		if stores && !slices.Contains(called, action) && !slices.Contains(eventSourceActions, action) {
			wrong = append(wrong, fmt.Sprintf("a role allows %s, which nothing calls", action))
		}
	}
	return wrong
}

// actionsCalled returns the actions behind the calls client.Operation(ctx, …).
func actionsCalled() ([]string, error) {
	actions := map[string]bool{}
	for dir, prefix := range storage {
		files, err := sources(dir)
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			err := eachCall(path, func(method string, call *ast.CallExpr) error {
				if len(call.Args) > 1 && onClient(call) {
					actions[prefix+strings.TrimSuffix(method, "Batch")] = true
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return slices.Sorted(maps.Keys(actions)), nil
}

// onClient reports whether the receiver is a variable or field named client.
func onClient(call *ast.CallExpr) bool {
	switch receiver := call.Fun.(*ast.SelectorExpr).X.(type) {
	case *ast.Ident:
		return receiver.Name == "client"
	case *ast.SelectorExpr:
		return receiver.Sel.Name == "client"
	}
	return false
}
