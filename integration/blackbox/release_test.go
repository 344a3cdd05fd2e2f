package blackbox

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// TestReleaseBuild builds the program for this machine as .goreleaser.yaml says, and
// checks its version.
func TestReleaseBuild(t *testing.T) {
	node := testenv.NodeBin(t, "js-yaml")
	parse := exec.Command(node, filepath.Join(testenv.Root(), ".goreleaser.yaml"))
	source, err := parse.Output()
	if err != nil {
		t.Fatal(err)
	}
	var release struct {
		Builds []struct {
			Main         string
			Env          []string
			Flags        []string
			LDFlags      []string
			GOOS, GOARCH []string
		}
		Archives []struct{ Files []string }
	}
	if err := json.Unmarshal(source, &release); err != nil || len(release.Builds) != 1 {
		t.Fatalf("%d builds, error %v", len(release.Builds), err)
	}
	build := release.Builds[0]
	program := filepath.Join(t.TempDir(), "standalone")
	ldflags := strings.ReplaceAll(strings.Join(build.LDFlags, " "), "{{ .Version }}", "1.2.3")
	args := append([]string{"build", "-o", program, "-ldflags", ldflags}, build.Flags...)
	cmd := exec.Command("go", append(args, build.Main)...)
	cmd.Dir, cmd.Env = testenv.Root(), append(os.Environ(), build.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if _, stdout, _ := finish(t, exec.Command(program, "--version")); stdout != "standalone v1.2.3, "+runtime.Version()+"\n" {
		t.Errorf("version %q", stdout)
	}
	for _, pattern := range release.Archives[0].Files {
		if found, err := filepath.Glob(filepath.Join(testenv.Root(), pattern)); err != nil || len(found) == 0 {
			t.Errorf("no file %s for the archive, error %v", pattern, err)
		}
	}
}
