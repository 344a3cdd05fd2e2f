package template_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/integration/testenv"
)

// packageTimeout bounds one run of `sls package`, which builds the functions, on a
// busy machine too.
const packageTimeout = 10 * time.Minute

// packaged is what `sls package` made for one stage.
type packaged struct {
	stage        string
	templatePath string
	template     template
	params       map[string]map[string]any // of serverless.yml, by section
	artifacts    map[string]string         // by function, relative to the service
	zips         map[string][]byte         // by artifact
}

// stages are packaged with these parameters: once the defaults and once the
// other side of every condition.
var stages = map[string][]string{
	"dev": nil,
	"prod": {
		"--param", "alarmEmail=ops@example.com",
		"--param", "tracing=Active",
		"--param", "fanOutConcurrency=20",
		"--param", "accountLogRole=existing",
	},
}

// packages returns what `sls package` makes of each stage, in a copy of the
// service, with no network and no credentials. All tests share one run.
func packages(t *testing.T) map[string]packaged {
	t.Helper()
	sls := testenv.NodeBin(t, "sls")
	shared.Do(func() { shared.packages = packageStages(t, sls) })
	if len(shared.packages) != len(stages) {
		t.Fatal("the service was not packaged; another test tells why")
	}
	return shared.packages
}

var shared struct {
	sync.Once
	dir      string // made by TestMain
	env      []string
	packages map[string]packaged
}

func packageStages(t *testing.T, sls string) map[string]packaged {
	t.Helper()
	service := filepath.Join(shared.dir, "service")
	copyService(t, service)
	shared.env = cleanEnv(t, shared.dir)
	made := map[string]packaged{}
	for stage, params := range stages {
		out := filepath.Join(shared.dir, stage)
		args := append([]string{"package", "--stage", stage, "--package", out}, params...)
		run(t, service, shared.env, sls, args...)
		made[stage] = readPackage(t, stage, service, out)
	}
	return made
}

// copyService copies what a deployment needs, so that runs side by side do not
// write to the same build folder.
func copyService(t *testing.T, to string) {
	t.Helper()
	root := testenv.Root()
	for _, dir := range []string{"domain", "ports", "adapters", "functions"} {
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "Makefile", "package.json", "serverless.yml", "serverless.build.js"} {
		content := readFile(t, filepath.Join(root, name))
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(testenv.NodeModules(), filepath.Join(to, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// cleanEnv has no credentials, no proxy, an empty home folder and no network.
// Go keeps its caches, which the home folder would otherwise decide.
func cleanEnv(t *testing.T, dir string) []string {
	t.Helper()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	offline := filepath.Join(testenv.Root(), "integration", "template", "testdata", "offline.cjs")
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"GOPROXY=off", "GOTOOLCHAIN=local", `NODE_OPTIONS=--require "` + offline + `"`,
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env
}

func run(t *testing.T, dir string, env []string, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), packageTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.WaitDelay = time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", filepath.Base(program), args, err, stdout, stderr.String())
	}
	return stdout
}

// The guard that the packaging runs under has to notice a request.
func TestOfflineGuardCanFail(t *testing.T) {
	cmd := exec.Command(testenv.Node(t), "--require", "./testdata/offline.cjs", "--eval", "fetch('http://127.0.0.1:65535')")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 97 {
		t.Errorf("a request under the guard: %v, %s", err, out)
	}
}

func readPackage(t *testing.T, stage, service, out string) packaged {
	t.Helper()
	p := packaged{
		stage:        stage,
		templatePath: filepath.Join(out, "cloudformation-template-update-stack.json"),
		artifacts:    map[string]string{},
		zips:         map[string][]byte{},
	}
	p.template = parseTemplate(t, readFile(t, p.templatePath))
	var state struct {
		Service struct {
			InitialServerlessConfig struct{ Params map[string]map[string]any }
			Functions               map[string]struct {
				Package struct{ Artifact string }
			}
		}
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(out, "serverless-state.json")), &state); err != nil {
		t.Fatal(err)
	}
	p.params = state.Service.InitialServerlessConfig.Params
	for name, function := range state.Service.Functions {
		artifact := function.Package.Artifact
		p.artifacts[name] = artifact
		p.zips[artifact] = readFile(t, filepath.Join(service, artifact))
	}
	return p
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
