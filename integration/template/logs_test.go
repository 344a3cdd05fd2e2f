package template_test

import (
	"go/ast"
	"maps"
	"slices"
	"testing"
)

// logSources are the folders whose code writes to the logs of the functions.
var logSources = []string{"domain", "adapters/lambdaevent", "functions/internal"}

// lambdaKeys are the keys that Lambda's log handler sets in every line.
var lambdaKeys = []string{"timestamp", "level", "message", "requestId"}

// logged is what the code says in its log calls.
type logged struct{ messages, keys map[string]bool }

// logCalls gives the position of the message in each call of *slog.Logger;
// keys and values follow it.
var logCalls = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0,
	"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1,
	"Log": 2,
}

func readLogCalls() (logged, error) {
	l := logged{messages: map[string]bool{}, keys: map[string]bool{}}
	for _, dir := range logSources {
		files, err := sources(dir)
		if err != nil {
			return l, err
		}
		for _, path := range files {
			if err := eachCall(path, l.add); err != nil {
				return l, err
			}
		}
	}
	return l, nil
}

func (l logged) add(method string, call *ast.CallExpr) error {
	at, ok := logCalls[method]
	if !ok {
		return nil
	}
	message, ok := literal(call.Args, at)
	if !ok { // some other method of that name
		return nil
	}
	l.messages[message] = true
	for i := at + 1; i < len(call.Args); i += 2 {
		if key, ok := literal(call.Args, i); ok {
			l.keys[key] = true
		}
	}
	return nil
}

// A key that Lambda sets too would be in the line twice, and readers take one of
// the two.
func TestLogKeysAreNotThoseOfLambda(t *testing.T) {
	l, err := readLogCalls()
	if err != nil {
		t.Fatal(err)
	}
	if !l.messages["fanned out"] || !l.keys["delivered"] {
		t.Fatalf("the log calls were not found: %v", slices.Sorted(maps.Keys(l.messages)))
	}
	for _, key := range lambdaKeys {
		if l.keys[key] {
			t.Errorf("a log call has the key %q, which Lambda's log handler sets itself", key)
		}
	}
}
