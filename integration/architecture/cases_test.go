package architecture

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

type ruleCase struct {
	rule, name string
	files      map[string]string
	want       string
}

func ruleCases() []ruleCase {
	return slices.Concat(importCases(), groupCases(), commentCases(), layoutCases())
}

func importCases() []ruleCase {
	table := []struct {
		file, imported string
		want           string // "" means allowed
	}{
		{"domain/a.go", "encoding/json", ""},
		{"domain/a.go", "github.com/oklog/ulid/v2", "standard library only"},
		{"domain/a.go", module + "/ports", "standard library only"},
		{"domain/a.go", module + "/domain/fanout", "standard library only"},
		{"domain/a_test.go", "pgregory.net/rapid", ""},
		{"domain/a_test.go", module + "/domain", ""},
		{"domain/a_test.go", module + "/ports", ""},
		{"domain/a_test.go", module + "/adapters/memstore", "standard library only"},

		{"ports/a.go", module + "/domain", ""},
		{"ports/a.go", module + "/domain/fanout", "speaks of the domain"},
		{"ports/a.go", module + "/adapters/memstore", "speaks of the domain"},
		{"ports/a.go", "golang.org/x/sync/errgroup", "speaks of the domain"},
		{"ports/porttest/a.go", module + "/ports", ""},
		{"ports/porttest/a.go", "github.com/google/go-cmp/cmp", ""},
		{"ports/porttest/a.go", module + "/adapters/memstore", "conformance suite"},

		{"domain/fanout/a.go", module + "/ports", ""},
		{"domain/fanout/a.go", "golang.org/x/sync/errgroup", ""},
		{"domain/fanout/a.go", "golang.org/x/sync/semaphore", "no technology"},
		{"domain/fanout/a.go", "github.com/aws/aws-lambda-go/events", "no technology"},
		{"domain/fanout/a.go", module + "/adapters/memstore", "no technology"},
		{"domain/fanout/a.go", module + "/ports/porttest", "no technology"},
		{"domain/fanout/a.go", module + "/domain/publish", "no other use case"},
		{"domain/fanout/a_test.go", module + "/domain/publish", ""},
		{"domain/fanout/a_test.go", module + "/adapters/memstore", ""},
		{"domain/fanout/a_test.go", module + "/functions/fanout", "no technology"},

		{"adapters/lambdaevent/a.go", module + "/domain/fanout", ""},
		{"adapters/lambdaevent/a.go", "github.com/aws/aws-lambda-go/events", ""},
		{"adapters/lambdaevent/a.go", module + "/adapters/memqueue", "no other adapter"},
		{"adapters/lambdaevent/a.go", module + "/adapters/internal/origin", ""},
		{"adapters/eventsource/a.go", module + "/ports", ""},
		{"adapters/eventsource/a.go", module + "/adapters/memqueue", "but no queue"},
		{"adapters/eventsource/a_test.go", module + "/adapters/memqueue", ""},
		{"adapters/eventsource/a_test.go", module + "/adapters/sqsqueue", "the embedded one"},
		{"adapters/memqueue/a.go", module + "/ports", ""},
		{"adapters/memqueue/a.go", module + "/adapters/memqueue/ring", ""},
		{"adapters/memqueue/a.go", module + "/domain/fanout", "no use case"},
		{"adapters/memqueue/a.go", module + "/adapters/internal/awsretry", ""},
		{"adapters/internal/awsretry/a.go", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"adapters/internal/awsretry/a.go", module + "/domain", "knows nothing about the service"},
		{"adapters/memqueue/a.go", module + "/adapters/memstore", "no other adapter"},
		{"adapters/memqueue/a.go", module + "/functions/fanout", "not who wires it"},
		{"adapters/memqueue/a.go", module + "/integration/environments/testenv", "not who wires it"},
		{"adapters/memqueue/a.go", module + "/ports/porttest", "its technology"},
		{"adapters/memqueue/a_test.go", module + "/adapters/memqueue", ""},
		{"adapters/memqueue/a_test.go", module + "/adapters/memstore", "no other adapter"},
		{"adapters/memqueue/a_test.go", module + "/ports/porttest", ""},
		{"adapters/memqueue/a_test.go", module + "/integration/environments/testenv", ""},
		{"adapters/memqueue/a_test.go", module + "/integration/blackbox", "not who wires it"},

		{"functions/fanout/a.go", module + "/adapters/memqueue", ""},
		{"functions/fanout/a.go", module + "/functions/ping", "what it shares"},
		{"functions/fanout/a.go", module + "/integration/environments/testenv", "what it shares"},
		{"functions/fanout/a.go", module + "/functions/internal/boot", ""},
		{"functions/fanout/a.go", module + "/functions/app", ""},
		{"functions/app/a.go", module + "/domain/fanout", ""},
		{"functions/app/a.go", module + "/adapters/governor", ""},
		{"functions/app/a.go", module + "/adapters/sqsqueue", "takes the technologies from them"},
		{"functions/app/a.go", "github.com/aws/aws-sdk-go-v2/service/sqs", "takes the technologies from them"},
		{"functions/internal/boot/a.go", "github.com/aws/aws-lambda-go/lambda", ""},
		{"functions/internal/boot/a.go", module + "/functions/ping", "serves any of them"},
		{"functions/internal/boot/a.go", module + "/domain/fanout", "serves any of them"},
		{"functions/shared/deep/a.go", "fmt", "none of the layers"},
		{"integration/tools/load/a.go", module + "/integration/environments/testenv", ""},
		{"integration/tools/load/a.go", module + "/functions/ping", "as programs"},
		{"integration/simulation/a.go", module + "/functions/app", ""},

		{"a.go", "fmt", "none of the layers"},
		{"pkg/a.go", "fmt", "none of the layers"},
		{"domain/a.go", module + "/pkg", "standard library only"},
	}
	cases := make([]ruleCase, 0, len(table))
	for _, row := range table {
		source := fmt.Sprintf("package a\nimport _ %q\n", row.imported)
		cases = append(cases, ruleCase{
			rule:  "imports",
			name:  row.file + " " + strings.TrimPrefix(row.imported, module+"/"),
			files: map[string]string{row.file: source},
			want:  row.want,
		})
	}
	return cases
}

func groupCases() []ruleCase {
	const rule = "import groups"
	source := func(separator string) map[string]string {
		return map[string]string{"a/a.go": "package a\nimport (\n\t\"fmt\"\n" + separator + "\t\"" + module + "/domain\"\n)\n"}
	}
	return []ruleCase{
		{rule, "apart", source("\n"), ""},
		{rule, "together", source(""), "between fmt and " + module + "/domain"},
	}
}

func commentCases() []ruleCase {
	const rule = "package comments"
	cases := []ruleCase{
		{rule, "one", map[string]string{
			"a/a.go":      "// Package a is good.\npackage a\n",
			"a/b.go":      "package a\n",
			"a/a_test.go": "// Package a_test does not count.\npackage a_test\n",
		}, ""},
		{rule, "command", map[string]string{"a/main.go": "// Command a runs.\npackage main\n"}, ""},
		{rule, "tests alone", map[string]string{"a/a_test.go": "package a\n"}, ""},
		{rule, "none", map[string]string{"a/a.go": "package a\n"}, "0 do:"},
		{rule, "apart", map[string]string{"a/a.go": "// Package a is far.\n\npackage a\n"}, "0 do:"},
		{rule, "two", map[string]string{
			"a/a.go": "// Package a is here.\npackage a\n",
			"a/b.go": "// Package a is here too.\npackage a\n",
		}, "2 do: [a.go b.go]"},
		{rule, "other name", map[string]string{"a/a.go": "// Package b is not.\npackage a\n"}, `"Package a "`},
		{rule, "command as package", map[string]string{"a/main.go": "// Package main runs.\npackage main\n"}, `"Command a "`},
	}
	for declaration, want := range map[string]string{
		"// F is.\nfunc F() {}":                                 "",
		"func F() {}":                                           "F is exported",
		"func f() {}":                                           "",
		"type t int\nfunc (t) M() {}":                           "",
		"// T is.\ntype T int\nfunc (*T) M() {}":                "M is exported",
		"// T is.\ntype T[E any] int\nfunc (*T[E]) M() {}":      "M is exported",
		"// T is.\ntype T[K, E any] int\nfunc (T[K, E]) M() {}": "M is exported",
		"// T is.\ntype T int\nfunc (T) Error() string":         "",
		"func Error() {}":                                       "Error is exported",
		"type T int":                                            "T is exported",
		"type (\n\t// T is.\n\tT int\n\tU int\n)":               "U is exported",
		"const C = 1":                                           "C is exported",
		"// The group.\nconst (\n\tC = 1\n\tD = 2\n)":           "",
		"const (\n\tC = 1 // is\n\tD = 2\n)":                    "D is exported",
		"var v, W int":                                          "W is exported",
		"// S is.\ntype S struct {\n\tField int\n}\nvar _ S":    "",
	} {
		cases = append(cases, ruleCase{
			rule:  "doc comments",
			name:  declaration,
			files: map[string]string{"a/a.go": "package a\n" + declaration + "\n", "a/a_test.go": "package a\nfunc Helper() {}\n"},
			want:  want,
		})
	}
	return append(cases, ruleCase{"doc comments", "command", map[string]string{"a/main.go": "package main\nfunc F() {}\n"}, ""})
}

func layoutCases() []ruleCase {
	var cases []ruleCase
	for file, want := range map[string]string{
		"docs/design.md":         "",
		".github/ci.yml":         "",
		"node_modules/a/main.go": "",
		"pkg/a.txt":              "pkg/",
		"docs/pkg/a.txt":         "",
	} {
		cases = append(cases, ruleCase{"folders", path.Dir(file), map[string]string{file: "package a\n"}, want})
	}
	long := "package a\n" + strings.Repeat("\n", maxLines)
	return append(cases,
		ruleCase{"file length", "at the limit", map[string]string{"a/a.go": strings.TrimSuffix(long, "\n")}, ""},
		ruleCase{"file length", "over it", map[string]string{"a/a.go": long}, "a/a.go has 401 lines"},
		ruleCase{"file length", "test", map[string]string{"a/a_test.go": long}, ""},
	)
}
