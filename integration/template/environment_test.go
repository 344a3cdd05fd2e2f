package template_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// wrongEnvironment checks that each function gets exactly the variables that its main
// reads, and that the management endpoint is that of the deployed API.
func wrongEnvironment(t template) []string {
	var wrong []string
	for name, function := range t.functions() {
		read, err := variablesRead("functions/" + strings.ToLower(name))
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		variables, _ := function.at("Properties/Environment/Variables").(map[string]any)
		set := slices.Sorted(maps.Keys(variables))
		for _, variable := range read {
			if !slices.Contains(set, variable) {
				wrong = append(wrong, fmt.Sprintf("%s reads %s, which is not set", name, variable))
			}
		}
		for _, variable := range set {
			if !slices.Contains(read, variable) {
				wrong = append(wrong, fmt.Sprintf("%s is given %s, which it does not read", name, variable))
			}
			if want := valueOf(variable, t.stage()); want != "" && text(variables[variable]) != want {
				wrong = append(wrong, fmt.Sprintf("%s: %s is %s, not %s", name, variable, text(variables[variable]), want))
			}
		}
	}
	return wrong
}

// valueOf returns what a variable must refer to, or "".
func valueOf(variable, stage string) string {
	switch variable {
	case "CONNECTIONS_TABLE":
		return ref("ConnectionsTable")
	case "SUBSCRIPTIONS_TABLE":
		return ref("SubscriptionsTable")
	case "LOGS_TABLE":
		return `{"Fn::If":["HasHistory",` + ref("LogsTable") + `,` + ref("AWS::NoValue") + `]}`
	case "CONVERSATIONS_TABLE":
		return `{"Fn::If":["HasHistory",` + ref("ConversationsTable") + `,` + ref("AWS::NoValue") + `]}`
	case "CHANNELS_QUEUE_URL":
		return ref("ChannelsQueue")
	case "JOBS_QUEUE_URL":
		return ref("JobsQueue")
	case "PARTS_QUEUE_URL":
		return ref("PartsQueue")
	case "RETRIES_QUEUE_URL":
		return ref("RetriesQueue")
	case "DEAD_LETTER_QUEUE_URL":
		return ref("DeadLetterQueue")
	case "MANAGEMENT_ENDPOINT":
		return sub("https://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/" + stage)
	}
	return ""
}

// variablesRead returns the names in the calls of boot.Env's methods, in a function and in
// the packages that functions share.
func variablesRead(dir string) ([]string, error) {
	files, err := sourcesAndShared(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, path := range files {
		err := eachCall(path, func(method string, call *ast.CallExpr) error {
			if !slices.Contains([]string{"Required", "Optional", "URL", "Count", "Seconds", "Days"}, method) {
				return nil
			}
			name, ok := literal(call.Args, 0)
			if !ok {
				return fmt.Errorf("%s: the variable in a call of %s is not a string literal", path, method)
			}
			names = append(names, name)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// sourcesAndShared returns the sources of a function, and of what it imports from
// functions/internal except boot itself.
func sourcesAndShared(dir string) ([]string, error) {
	files, err := sources(dir)
	for _, path := range files {
		file, failed := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if failed != nil {
			return nil, failed
		}
		for _, imported := range file.Imports {
			_, name, shared := strings.Cut(strings.Trim(imported.Path.Value, `"`), "/functions/internal/")
			if !shared || name == "boot" {
				continue
			}
			more, failed := sources("functions/internal/" + name)
			files, err = append(files, more...), errors.Join(err, failed)
		}
	}
	return files, err
}

// eachCall visits the calls of methods and of other packages' functions in a
// file until visit returns an error.
func eachCall(path string, visit func(method string, call *ast.CallExpr) error) error {
	var failed error
	err := eachNode(path, func(node ast.Node) {
		call, ok := node.(*ast.CallExpr)
		if !ok || failed != nil {
			return
		}
		if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
			failed = visit(selector.Sel.Name, call)
		}
	})
	return errors.Join(err, failed)
}

// eachNode visits the nodes of a file's syntax tree.
func eachNode(path string, visit func(ast.Node)) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		visit(node)
		return true
	})
	return nil
}

// literal returns the argument if it is a string literal.
func literal(args []ast.Expr, index int) (string, bool) {
	if index >= len(args) {
		return "", false
	}
	lit, ok := args[index].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(lit.Value)
	return value, err == nil
}
