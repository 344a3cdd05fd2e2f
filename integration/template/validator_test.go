package template_test

import (
	"testing"

	"serverless-websocket/integration/cloudformation/validator"
	"serverless-websocket/integration/testenv"
)

// tolerated are the warnings of the validator that say nothing about this
// template. All others fail, and so does every error.
var tolerated = map[string]string{
	"W3005": "the Serverless Framework writes DependsOn where a reference is enough",
	"W8003": "the Serverless Framework has put the parameters' values into the conditions",
	"W9053": "for the same reason conditions on two parameters that are empty look alike",
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
	const broken = `{"Resources":{"Queue":{"Type":"AWS::SQS::Queue","Properties":{"KmsMasterKeyId":{"Ref":"Nothing"}}}}}`
	if len(complaints(t, v, []byte(broken))) == 0 {
		t.Error("the validator finds nothing in a broken template")
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
