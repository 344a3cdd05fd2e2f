package template_test

import (
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/cloudformation/validator"
	"serverless-websocket/integration/environments/testenv"
)

// tolerated are validator warnings that are irrelevant to this template. All others fail,
// and so does every error.
var tolerated = map[string]string{
	"W3005": "the Serverless Framework writes DependsOn although a reference is enough",
	"W8003": "the Serverless Framework has put the parameters' values into the conditions",
	"W9053": "for the same reason, conditions on two empty parameters look alike",
}

func TestOfflineValidator(t *testing.T) {
	v, err := validator.Start(testenv.Node(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Stop)
	for stage, p := range packages(t) {
		for _, f := range complaints(t, v, readFile(t, p.templatePath)) {
			t.Errorf("%s: %v", stage, f)
		}
	}
	for name, properties := range map[string]string{
		"a reference to nothing": `{"LogGroupName":{"Ref":"Nothing"}}`,
		"a name too long":        `{"LogGroupName":"` + strings.Repeat("a", 513) + `"}`,
		"a value not listed":     `{"RetentionInDays":10}`,
		"a property not known":   `{"RetentionDays":14}`,
	} {
		broken := `{"Resources":{"Log":{"Type":"AWS::Logs::LogGroup","Properties":` + properties + `}}}`
		if found := complaints(t, v, []byte(broken)); !slices.ContainsFunc(found, validator.Finding.Refused) {
			t.Errorf("with %s a template is not refused: %v", name, found)
		}
	}
}

func complaints(t *testing.T, v *validator.Validator, template []byte) []validator.Finding {
	t.Helper()
	findings, err := v.Validate(template)
	if err != nil {
		t.Fatal(err)
	}
	var found []validator.Finding
	for _, f := range findings {
		if _, ok := tolerated[f.RuleID]; !ok && f.Severity != "INFO" && f.Severity != "DEBUG" {
			found = append(found, f)
		}
	}
	return found
}
