package template_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// golden maps resource types that are compared as a whole to files in testdata. In the
// files, STAGE, EMAIL and PARAMETER stand for values that differ between stages.
var golden = map[string][]string{
	"alarms.json": {
		"AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter", "AWS::SNS::Topic", "AWS::SNS::Subscription",
	},
	"queries.json": {"AWS::Logs::QueryDefinition"},
	"roles.json": {
		"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::ApiGateway::Account",
	},
}

// differsFrom returns a check that compares resources with a golden file.
func differsFrom(file string) func(template) []string {
	return func(t template) []string {
		want, err := readGolden(file, t)
		if err != nil {
			return []string{err.Error()}
		}
		got := template{}
		all, _ := t["Resources"].(map[string]any)
		for id, resource := range all {
			kind, _ := t.at("Resources/" + id + "/Type").(string)
			if slices.Contains(golden[file], kind) {
				got[id] = resource
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return []string{fmt.Sprintf("differs from testdata/%s (-want +got):\n%s", file, diff)}
		}
		return nil
	}
}

func readGolden(file string, t template) (template, error) {
	source, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		return nil, err
	}
	email, _ := t.at("Conditions/HasAlarmEmail/Fn::Not/0/Fn::Equals/0").(string)
	parameter, _ := t.at("Conditions/HasJwtSecret/Fn::Not/0/Fn::Equals/0").(string)
	filled := strings.NewReplacer("STAGE", t.stage(), "EMAIL", email, "PARAMETER", parameter).Replace(string(source))
	var want template
	if err := json.Unmarshal([]byte(filled), &want); err != nil {
		return nil, fmt.Errorf("testdata/%s: %w", file, err)
	}
	return want, nil
}
