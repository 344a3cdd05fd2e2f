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

func TestLongStageStopsPackaging(t *testing.T) {
	packages(t)
	pack := func(stage string) (string, error) {
		cmd := exec.CommandContext(t.Context(), testenv.NodeBin(t, "sls"), "package", "--stage", stage, "--package", t.TempDir())
		cmd.Dir, cmd.Env = filepath.Join(shared.dir, "service"), shared.env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := pack(longestStage); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	const want = `The stage "twenty-characters-20x" is too long: in ap-northeast-2, 20 characters are the most, for the names of roles.`
	if out, err := pack(longestStage + "x"); err == nil || !strings.Contains(out, want) || strings.Contains(out, ".js:") {
		t.Errorf("%v\n%s\nwant a failure with the line %s and no stack", err, out, want)
	}
}
