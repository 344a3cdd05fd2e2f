package template_test

import (
	"path/filepath"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// longestStage is the longest stage name in the default region: its role names fit the 64
// characters that IAM allows.
const longestStage = "twenty-characters-20"

func TestLongestStage(t *testing.T) {
	longest := 0
	dev := packages(t)["dev"].template
	for id, role := range dev.ofType("AWS::IAM::Role") {
		name, _ := role.at("Properties/RoleName").(string)
		if id != "ApiGatewayLogRole" && name == "" {
			t.Errorf("%s has no name: deploy function needs it", id)
		}
		longest = max(longest, len(name)-len("dev")+len(longestStage))
	}
	if longest != 64 {
		t.Errorf("the longest name of a role has %d characters in the longest stage", longest)
	}
}

// Role names contain the region, and IAM allows no longer ones.
func TestStageIsBounded(t *testing.T) {
	packages(t)
	const region = "eu-west-1"
	service, out := filepath.Join(shared.dir, "service"), t.TempDir()
	run(t, service, shared.env, testenv.NodeBin(t, "sls"), "package", "--stage", longestStage, "--region", region, "--package", out)
	role := readPackage(t, longestStage, out).template.at("Resources/DefaultMessageRole/Properties/RoleName")
	if want := "serverless-websocket-" + longestStage + "-" + region + "-default"; role != want {
		t.Errorf("the role is %v, not %s", role, want)
	}
	const want = "The stage twenty-characters-20x is too long: AWS allows names of 64 characters, and " +
		"serverless-websocket-twenty-characters-20x-ap-northeast-2-connect has 65."
	if got := errorLine(slsFails(t, service, shared.env, "package", "--stage", longestStage+"x")); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
