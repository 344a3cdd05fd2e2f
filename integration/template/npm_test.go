package template_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// npm's output is not shown, unless it fails.
func TestInstallingIsQuietUnlessItFails(t *testing.T) {
	const dependency = `"dependencies":{"local":"file:local"}`
	lock := `{"name":"x","lockfileVersion":3,"packages":{"":{"name":"x",` + dependency + `},
		"local":{},"node_modules/local":{"resolved":"local","link":true}}}`
	files := map[string]string{
		"package.json": `{"name":"x",` + dependency + `}`, "package-lock.json": lock, "local/package.json": `{"name":"local"}`,
	}
	if out, err := makeNpm(t, files); err != nil || out != "installing the npm packages\n" {
		t.Errorf("a good installation: %v\n%s\nwant one line", err, out)
	}
	broken := maps.Clone(files)
	broken["package.json"] = `{"name":"x"`
	out, err := makeNpm(t, broken)
	if err == nil || !strings.Contains(out, "EJSONPARSE") || !strings.Contains(out, "npm ci failed") {
		t.Errorf("a broken package.json: %v\n%s\nwant npm's own complaint", err, out)
	}
}

// makeNpm runs make's npm in a folder with these files.
func makeNpm(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	testenv.Node(t)
	dir := t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(testenv.Root(), "Makefile"), filepath.Join(dir, "Makefile")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "make", "npm")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "npm_config_offline=true", "npm_config_logs_max=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// package.json requires the same versions of Node as the framework.
func TestEnginesAreThoseOfTheFramework(t *testing.T) {
	testenv.NodeBin(t, "sls")
	var ours, theirs struct{ Engines struct{ Node string } }
	for path, into := range map[string]any{
		filepath.Join(testenv.Root(), "package.json"):                &ours,
		filepath.Join(testenv.NodeModules(), "osls", "package.json"): &theirs,
	} {
		if err := json.Unmarshal(readFile(t, path), into); err != nil {
			t.Fatal(err)
		}
	}
	if ours != theirs {
		t.Errorf("package.json requires Node %q, the framework %q", ours.Engines.Node, theirs.Engines.Node)
	}
}

var nodeVersion = regexp.MustCompile(`(?:Node|node-version:|Node\.js) (\d+)`)

func TestNodeVersionIsTheSameEverywhere(t *testing.T) {
	for _, path := range []string{"README.md", "docs/aws.md", ".github/workflows/ci.yml", "integration/environments/testenv/tools.go"} {
		found := nodeVersion.FindAllSubmatch(readFile(t, filepath.Join(testenv.Root(), path)), -1)
		if len(found) == 0 {
			t.Errorf("%s names no version of Node", path)
		}
		for _, version := range found {
			if string(version[1]) != "22" {
				t.Errorf("%s has %q", path, version[0])
			}
		}
	}
}
