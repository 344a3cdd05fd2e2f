// Package template_test packages the service like a deployment and checks the resulting
// CloudFormation template and zip files.
package template_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "template-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// checks find what the offline validator cannot. Each returns what is wrong.
var checks = map[string]func(template) []string{
	"functions":   wrongFunctions,
	"environment": wrongEnvironment,
	"settings":    wrongSettings,
	"roles":       differsFrom("roles.json"),
	"wildcards":   wildcardResources,
	"calls":       wrongCalls,
	"gateway":     wrongGateway,
	"authorizer":  wrongAuthorizer,
	"invocation":  wrongPermissions,
	"queue":       wrongQueues,
	"sources":     wrongEventSources,
	"table":       wrongTables,
	"bucket":      wrongBucket,
	"outputs":     wrongOutputs,
	"endpoints":   wrongEndpoints,
	"alarms":      differsFrom("alarms.json"),
	"queries":     differsFrom("queries.json"),
	"fields":      wrongQueries,
}

func TestTemplate(t *testing.T) {
	for stage, p := range packages(t) {
		for name, check := range checks {
			t.Run(stage+"/"+name, func(t *testing.T) {
				for _, wrong := range check(p.template) {
					t.Error(wrong)
				}
			})
		}
	}
}

// TestEveryCheckCanFail changes one thing in the template and expects the check for it to
// fail.
func TestEveryCheckCanFail(t *testing.T) {
	pristine := packages(t)["dev"]
	proven := map[string]bool{}
	for _, m := range mutations {
		t.Run(m.check+"/"+m.path, func(t *testing.T) {
			changed := parseTemplate(t, []byte(text(pristine.template)))
			changed.set(t, m.path, m.value)
			found := strings.Join(checks[m.check](changed), "\n")
			if !strings.Contains(found, m.want) {
				t.Errorf("%s = %v: got %q, want a complaint with %q", m.path, m.value, found, m.want)
			}
		})
		proven[m.check] = true
	}
	for name := range checks {
		if !proven[name] {
			t.Errorf("no mutation shows that the check of %s can fail", name)
		}
	}
}

// template is a CloudFormation template, or a part of one, as decoded JSON.
type template map[string]any

func parseTemplate(t *testing.T, source []byte) template {
	t.Helper()
	var parsed template
	if err := json.Unmarshal(source, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// at returns what is at the path, its elements separated by "/", or nil. The
// path is "" for the template itself.
func (t template) at(path string) any {
	var node any = map[string]any(t)
	for element := range strings.SplitSeq(path, "/") {
		switch parent := node.(type) {
		case map[string]any:
			node = parent[element]
		case []any:
			i, err := strconv.Atoi(element)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			node = parent[i]
		default:
			return nil
		}
	}
	return node
}

// number is at for a number; a missing one is 0.
func (t template) number(path string) int {
	n, _ := t.at(path).(float64)
	return int(n)
}

// text is at for anything, as JSON.
func (t template) text(path string) string { return text(t.at(path)) }

// set puts a value at the path, or removes what is there if it is nil.
func (t template) set(test *testing.T, path string, value any) {
	test.Helper()
	dir, name := "", path
	parent := any(map[string]any(t))
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
		parent = t.at(dir)
	}
	switch parent := parent.(type) {
	case map[string]any:
		if value == nil {
			if _, ok := parent[name]; !ok {
				test.Fatalf("nothing at %s", path)
			}
			delete(parent, name)
			return
		}
		parent[name] = value
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(parent) {
			test.Fatalf("nothing at %s", path)
		}
		parent[i] = value
	default:
		test.Fatalf("nothing at %q", dir)
	}
}

// ofType returns the resources of the type, by their logical ids.
func (t template) ofType(name string) map[string]template {
	found := map[string]template{}
	all, _ := t["Resources"].(map[string]any)
	for id, resource := range all {
		r := template(resource.(map[string]any))
		if r["Type"] == name {
			found[id] = r
		}
	}
	return found
}

// functions returns the Lambda functions by their names in serverless.yml with the first
// letter in upper case: "FanOut".
func (t template) functions() map[string]template {
	found := map[string]template{}
	for id, function := range t.ofType("AWS::Lambda::Function") {
		found[strings.TrimSuffix(id, "LambdaFunction")] = function
	}
	return found
}

// stage returns the name of the stage that the template is for.
func (t template) stage() string {
	stage, _ := t.at("Resources/WebsocketsDeploymentStage/Properties/StageName").(string)
	return stage
}

// text returns the value as JSON; keys are sorted.
func text(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return string(b)
}

// ref, attribute, arn and sub are the texts of references.
func ref(id string) string             { return text(map[string]any{"Ref": id}) }
func attribute(id, name string) string { return text(map[string]any{"Fn::GetAtt": []string{id, name}}) }
func arn(id string) string             { return attribute(id, "Arn") }
func sub(s string) string              { return text(map[string]any{"Fn::Sub": s}) }

// expectation says what the text at a path of the template must be.
type expectation struct{ path, want string }

// unmet returns the expectations that the template does not meet.
func (t template) unmet(expectations ...expectation) []string {
	var wrong []string
	for _, e := range expectations {
		if got := t.text(e.path); got != e.want {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", e.path, got, e.want))
		}
	}
	return wrong
}
