package template_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// rolesGolden holds the statements of each function's role, with STAGE for the
// stage.
//
//go:embed testdata/roles.json
var rolesGolden []byte

const lambdaAssumes = `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]`

// wrongRoles compares each function's role with the golden file. A role has one
// inline policy and nothing beside it.
func wrongRoles(t template) []string {
	var golden map[string]any
	if err := json.Unmarshal(rolesGolden, &golden); err != nil {
		return []string{err.Error()}
	}
	got := map[string]any{}
	var wrong []string
	for id, role := range t.ofType("AWS::IAM::Role") {
		if id == "ApiGatewayLogRole" { // no function's
			continue
		}
		got[id] = role.at("Properties/Policies/0/PolicyDocument/Statement")
		for _, complaint := range role.unmet(
			expectation{"Properties/ManagedPolicyArns", "null"},
			expectation{"Properties/Policies/1", "null"},
			expectation{"Properties/AssumeRolePolicyDocument/Statement", lambdaAssumes},
		) {
			wrong = append(wrong, id+": "+complaint)
		}
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"} {
		for id := range t.ofType(kind) {
			wrong = append(wrong, id+" gives rights that testdata/roles.json does not show")
		}
	}
	onStage := strings.ReplaceAll(string(text(golden)), "/STAGE/", "/"+t.stage()+"/")
	if diff := cmp.Diff(indented(onStage), indented(text(got))); diff != "" {
		wrong = append(wrong, "the roles are not those of testdata/roles.json (-want +got):\n"+diff)
	}
	return wrong
}

func indented(source string) string {
	var value any
	if err := json.Unmarshal([]byte(source), &value); err != nil {
		return err.Error()
	}
	b, _ := json.MarshalIndent(value, "", "  ")
	return string(b)
}

// knownActions holds the actions that the template may name, spelt as in the
// Service Authorization Reference: CloudFormation takes any spelling.
var knownActions = []string{
	"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Scan",
	"execute-api:ManageConnections",
	"lambda:InvokeFunction",
	"logs:CreateLogStream", "logs:PutLogEvents",
	"s3:*",
	"sqs:*", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
	"sts:AssumeRole",
	"xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

func unknownActions(t template) []string {
	var wrong []string
	for _, s := range statements(map[string]any(t)) {
		for _, action := range list(s["Action"]) {
			name, _ := action.(string)
			if !slices.Contains(knownActions, name) {
				wrong = append(wrong, fmt.Sprintf("action %s is not among the known", text(action)))
			}
			if strings.HasSuffix(name, ":*") && s["Effect"] != "Deny" {
				wrong = append(wrong, fmt.Sprintf("all of %s is allowed", name))
			}
		}
	}
	return wrong
}

// allowedWildcards gives the reason for each resource with a "*" that a
// statement may allow something on.
func allowedWildcards(stage string) map[string]string {
	const traces = `["xray:PutTraceSegments","xray:PutTelemetryRecords"]`
	posts := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/" +
		stage + "/POST/@connections/*"
	return map[string]string{
		traces + ` on "*"`: "X-Ray knows no resources for these actions",
		`"execute-api:ManageConnections" on ` + sub(posts): "the ids of connections are chosen as clients connect",
	}
}

func wildcardResources(t template) []string {
	allowed := allowedWildcards(t.stage())
	var wrong []string
	for _, s := range statements(map[string]any(t)) {
		if s["Effect"] == "Deny" {
			continue
		}
		for _, resource := range list(s["Resource"]) {
			what := text(s["Action"]) + " on " + text(resource)
			if _, ok := allowed[what]; !ok && strings.Contains(text(resource), "*") {
				wrong = append(wrong, "wildcard: "+what)
			}
		}
	}
	return wrong
}

// statements returns the policy statements in any part of a template.
func statements(node any) []map[string]any {
	var found []map[string]any
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["Effect"]; ok {
			found = append(found, node)
		}
		for _, key := range slices.Sorted(maps.Keys(node)) {
			found = append(found, statements(node[key])...)
		}
	case []any:
		for _, element := range node {
			found = append(found, statements(element)...)
		}
	}
	return found
}

// list makes a list of what may be given alone.
func list(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	}
	return []any{value}
}
