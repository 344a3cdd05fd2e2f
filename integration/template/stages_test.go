package template_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/testenv"
)

// longestStage is the longest name of a stage in the default region: the names
// of its roles fit the 64 characters that IAM takes.
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

// The shorter the region's name, the longer a stage's may be.
func TestStageIsBounded(t *testing.T) {
	packages(t)
	const region, longest = "eu-west-1", longestStage + "12345"
	out := t.TempDir()
	if output, err := packageStage(t, longest, "--region", region, "--package", out); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	role := readPackage(t, longest, out).template.at("Resources/DefaultMessageRole/Properties/RoleName")
	if want := "serverless-websocket-" + longest + "-" + region + "-default"; role != want || len(want) != 64 {
		t.Errorf("the role is %v, not %s", role, want)
	}
	const want = `The stage "twenty-characters-20x" is too long: in ap-northeast-2, 20 characters are the most, for the names of roles.`
	output, err := packageStage(t, longestStage+"x")
	if err == nil || !strings.Contains(output, want) || strings.Contains(output, ".js:") {
		t.Errorf("%v\n%s\nwant a failure with the line %s and no stack", err, output, want)
	}
}

func packageStage(t *testing.T, stage string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.NodeBin(t, "sls"), append([]string{"package", "--stage", stage}, args...)...)
	cmd.Dir, cmd.Env = filepath.Join(shared.dir, "service"), shared.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}
