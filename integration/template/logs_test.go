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
			if err := eachNode(path, l.add); err != nil {
				return l, err
			}
		}
	}
	return l, nil
}

// add records what a log call says, and the keys in argument lists.
func (l logged) add(node ast.Node) {
	switch node := node.(type) {
	case *ast.CompositeLit:
		if list, ok := node.Type.(*ast.ArrayType); ok && named(list.Elt, "any") {
			l.addKeys(node.Elts)
		}
	case *ast.CallExpr:
		if named(node.Fun, "append") {
			l.addKeys(node.Args[1:])
		} else if call, ok := node.Fun.(*ast.SelectorExpr); ok {
			l.addCall(call.Sel.Name, node.Args)
		}
	}
}

func (l logged) addCall(method string, args []ast.Expr) {
	at, ok := logCalls[method]
	if !ok {
		return
	}
	if message, ok := literal(args, at); ok { // otherwise some other method of that name
		l.messages[message] = true
		l.addKeys(args[at+1:])
	}
}

// addKeys records every other expression if it is a string.
func (l logged) addKeys(keysAndValues []ast.Expr) {
	for i := 0; i < len(keysAndValues); i += 2 {
		if key, ok := literal(keysAndValues, i); ok {
			l.keys[key] = true
		}
	}
}

func named(e ast.Expr, name string) bool {
	identifier, ok := e.(*ast.Ident)
	return ok && identifier.Name == name
}

// A key that Lambda sets too would be in the line twice, and readers pick one of the two.
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
