package template_test

import (
	"maps"
	"slices"
	"strings"
)

// allowedWildcards gives the reason for each resource with a "*" that a statement may
// use.
func allowedWildcards(stage string) map[string]string {
	const traces = `["xray:PutTraceSegments","xray:PutTelemetryRecords"]`
	api := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/" + stage
	const assigned = "connection ids are assigned as clients connect"
	return map[string]string{
		traces + ` on "*"`: "X-Ray supports no resources for these actions",
		`"execute-api:ManageConnections" on ` + sub(api+"/POST/@connections/*"):   assigned,
		`"execute-api:ManageConnections" on ` + sub(api+"/DELETE/@connections/*"): assigned,
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

// list makes a list of a value that may be a single element.
func list(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	}
	return []any{value}
}
