package template_test

import (
	"encoding/json"
	"os"
	"testing"

	"serverless-websocket/integration/testenv"
)

// tolerated are the warnings of the validator that say nothing about this
// template. All others fail, and so does every error.
var tolerated = map[string]string{
	"W3005": "the Serverless Framework writes DependsOn where a reference is enough",
	"W8003": "the Serverless Framework has put the parameters' values into the conditions",
	"W9053": "for the same reason conditions on two parameters that are empty look alike",
}

type report struct {
	Status      string
	Diagnostics []struct {
		RuleID       string
		Severity     string
		Message      string
		PropertyPath string
		Entity       struct{ LogicalID string }
	}
}

func TestOfflineValidator(t *testing.T) {
	made := packages(t)
	paths := []string{made["dev"].templatePath, made["prod"].templatePath}
	for i, r := range validate(t, append(paths, brokenTemplate(t))...) {
		findings := 0
		for _, d := range r.Diagnostics {
			if _, ok := tolerated[d.RuleID]; ok || d.Severity == "INFO" || d.Severity == "DEBUG" {
				continue
			}
			findings++
			if i < len(paths) {
				t.Errorf("%s: %s %s %s %s: %s", paths[i], d.Severity, d.RuleID, d.Entity.LogicalID, d.PropertyPath, d.Message)
			}
		}
		if i < len(paths) && r.Status != "OK" {
			t.Errorf("%s: the validator's status is %s", paths[i], r.Status)
		}
		if i == len(paths) && findings == 0 {
			t.Error("the validator finds nothing in a broken template")
		}
	}
}

func validate(t *testing.T, paths ...string) []report {
	t.Helper()
	out := run(t, ".", os.Environ(), testenv.Node(t), append([]string{"validate.mjs"}, paths...)...)
	var reports []report
	if err := json.Unmarshal(out, &reports); err != nil {
		t.Fatal(err)
	}
	if len(reports) != len(paths) {
		t.Fatalf("%d reports on %d templates", len(reports), len(paths))
	}
	return reports
}

func brokenTemplate(t *testing.T) string {
	t.Helper()
	const source = `{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"KmsMasterKeyId":{"Ref":"Nothing"}}}}}`
	path := t.TempDir() + "/template.json"
	if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
