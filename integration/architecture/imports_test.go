package architecture

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// layer is a part of the tree with one rule for what its packages may import besides the
// standard library and themselves. The patterns are those of match, relative to the
// module for its own packages.
type layer struct {
	path      string
	may       []string
	mayInTest []string // in test files, besides those of may
	why       string
}

// anyModule in a layer's may stands for every other module.
const anyModule = "(any)"

var testHelpers = []string{
	"ports/porttest",
	"integration/environments/testenv",
	"integration/environments/awslocal",
	"github.com/google/go-cmp/...",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
}

// layers lists the more specific path first.
var layers = []layer{
	{
		path: "domain",
		// Tests can ask a port for the limits of a queue: a job has to fit.
		mayInTest: append([]string{"ports"}, testHelpers...),
		why:       "types and rules use the standard library only",
	},
	{
		path:      "domain/*",
		may:       []string{"domain", "ports", "golang.org/x/sync/errgroup"},
		mayInTest: append([]string{"domain/...", "adapters/..."}, testHelpers...),
		why:       "a use case knows the domain and the ports, but no technology and no other use case",
	},
	{
		path:      "ports",
		may:       []string{"domain"},
		mayInTest: testHelpers,
		why:       "a port speaks of the domain, and in no technology's words",
	},
	{
		path: "ports/porttest",
		may:  append([]string{"domain", "ports"}, testHelpers...),
		why:  "a conformance suite knows the port but none of its adapters",
	},
	{
		path:      "adapters/lambdaevent/...",
		may:       []string{"domain/...", "ports", "adapters/internal/...", anyModule},
		mayInTest: testHelpers,
		why:       "a driving adapter knows the use cases, but no other adapter and not who wires it",
	},
	{
		path:      "adapters/eventsource/...",
		may:       []string{"domain", "ports", anyModule},
		mayInTest: append([]string{"adapters/memqueue"}, testHelpers...),
		why:       "a driving adapter knows the port that it reads, but no queue; its tests read the embedded one",
	},
	{
		path:      "adapters/internal/...",
		may:       []string{anyModule},
		mayInTest: testHelpers,
		why:       "code shared by adapters is about their technology, and knows nothing about the service",
	},
	{
		path:      "adapters/*/...",
		may:       []string{"domain", "ports", "adapters/internal/...", anyModule},
		mayInTest: testHelpers,
		why:       "an adapter knows the domain, the ports and its technology, but no use case, no other adapter and not who wires it",
	},
	{
		path:      "functions/internal/...",
		may:       []string{"ports", "adapters/...", anyModule},
		mayInTest: testHelpers,
		why:       "code shared by composition roots serves any of them, so it knows no use case",
	},
	{
		path:      "functions/app",
		may:       []string{"domain/...", "ports", "adapters/lambdaevent", "adapters/governor", "adapters/ulids"},
		mayInTest: testHelpers,
		why:       "it composes the use cases for every program, and takes the technologies from them",
	},
	{
		path:      "functions/*",
		may:       []string{"domain/...", "ports", "adapters/...", "functions/app", "functions/internal/...", anyModule},
		mayInTest: append([]string{"clients/go"}, testHelpers...),
		why:       "a composition root picks adapters; what it shares with another is in functions/app and functions/internal, and only tests need a client",
	},
	{
		path:      "clients/go",
		may:       []string{anyModule},
		mayInTest: testHelpers,
		why:       "a client knows the protocol, and nothing else of the service",
	},
	{
		path: "integration/...",
		may:  []string{"domain/...", "ports/...", "adapters/...", "functions/app", "clients/go", anyModule},
		why:  "integration tests run the functions as programs, or compose the use cases as they do",
	},
}

func wrongImports(t tree) []string {
	var wrong []string
	for _, f := range t.files {
		l, ok := layerOf(f.dir)
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: the package is in none of the layers", f.path()))
			continue
		}
		for _, imported := range f.imports() {
			if !l.allows(f, imported) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", f.path(), imported, l.why))
			}
		}
	}
	return wrong
}

// mixedGroups finds packages of this module that share a group of imports with others. In
// their own group, they stay sorted whatever path the module gets.
func mixedGroups(t tree) []string {
	var wrong []string
	for _, f := range t.files {
		imports := f.imports()
		for i := 1; i < len(imports); i++ {
			if f.adjacent(i-1, i) && isOwn(imports[i-1]) != isOwn(imports[i]) {
				wrong = append(wrong, fmt.Sprintf("%s: a blank line is missing between %s and %s", f.path(), imports[i-1], imports[i]))
			}
		}
	}
	return wrong
}

// adjacent reports whether two imports are on adjacent lines.
func (f *file) adjacent(i, j int) bool {
	line := func(i int) int { return f.fset.Position(f.ast.Imports[i].Pos()).Line }
	return line(j)-line(i) == 1
}

func isOwn(imported string) bool { return strings.HasPrefix(imported, module+"/") }

func layerOf(dir string) (layer, bool) {
	for _, l := range layers {
		if _, ok := match(l.path, dir); ok {
			return l, true
		}
	}
	return layer{}, false
}

func (l layer) allows(f *file, imported string) bool {
	own, _ := match(l.path, f.dir)
	may := append([]string{own}, l.may...)
	if f.isTest() {
		may = append(may, l.mayInTest...)
	}
	local, inModule := strings.CutPrefix(imported, module+"/")
	switch {
	case inModule:
		return matchAny(may, local)
	case standard(imported):
		return true
	}
	return matchAny(may, imported) || slices.Contains(may, anyModule)
}

// standard relies on the rule that paths outside the standard library have a dot in their
// first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		_, ok := match(pattern, name)
		return ok
	})
}

// match reports whether name matches the pattern or, if that ends in "/...", is below it.
// A "*" is any single path element. It returns the pattern with each "*" replaced by the
// element it matches in name.
func match(pattern, name string) (string, bool) {
	prefix, below := strings.CutSuffix(pattern, "/...")
	depth := strings.Count(prefix, "/") + 1
	elements := strings.Split(name, "/")
	if len(elements) < depth || len(elements) > depth && !below {
		return "", false
	}
	head := strings.Join(elements[:depth], "/")
	if ok, err := path.Match(prefix, head); !ok || err != nil {
		return "", false
	}
	return head + strings.TrimPrefix(pattern, prefix), true
}
