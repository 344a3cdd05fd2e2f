package template_test

import (
	"strings"
	"testing"
)

// Settings that the framework applies to the stack itself are in no template.
func wrongStack(p packaged, provider template) []string {
	return provider.unmet(
		expectation{"stackTags", text(map[string]any{"service": "serverless-websocket", "stage": p.stage})},
		expectation{"deletionProtection", `{"stages":["prod"]}`},
	)
}

func TestStackIsTaggedAndProtected(t *testing.T) {
	for stage, p := range packages(t) {
		for _, wrong := range wrongStack(p, p.provider) {
			t.Errorf("%s: %s", stage, wrong)
		}
	}
	p := packages(t)["dev"]
	for _, m := range []mutation{
		{path: "stackTags", want: "stackTags"},
		{path: "stackTags/stage", value: "prod", want: "stackTags"},
		{path: "deletionProtection", want: "deletionProtection"},
		{path: "deletionProtection/stages/0", value: "dev", want: "deletionProtection"},
	} {
		changed := parseTemplate(t, []byte(text(p.provider)))
		changed.set(t, m.path, m.value)
		if found := strings.Join(wrongStack(p, changed), "\n"); !strings.Contains(found, m.want) {
			t.Errorf("%s = %v: got %q, want a complaint with %q", m.path, m.value, found, m.want)
		}
	}
}
