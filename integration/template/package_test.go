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

	"serverless-websocket/integration/environments/testenv"
)

// packageTimeout limits one run of `sls package`, which builds the functions, even on a
// busy machine.
const packageTimeout = 10 * time.Minute

// packaged is the output of `sls package` for one stage.
type packaged struct {
	stage        string
	templatePath string
	template     template
	provider     template                  // of serverless.yml, resolved
	params       map[string]map[string]any // of serverless.yml, by section
	artifacts    map[string]string         // by function
	zips         map[string][]byte         // by artifact
}

const (
	secretParameter = "jwtSecretParameter=/chat/prod/jwt-secret"
	domainName      = "domainName=chat.example.com"
	certificate     = "certificateArn=arn:aws:acm:ap-northeast-2:123456789012:certificate/0f0e0d0c-1111-2222-3333-444455556666"
)

// stages are packaged with these parameters: one with the defaults and one with the other
// side of every condition.
var stages = map[string][]string{
	"dev": nil,
	"prod": {
		"--param", "alarmEmail=ops@example.com",
		"--param", "tracing=Active",
		"--param", "fanOutConcurrency=20",
		"--param", "accountLogRole=existing",
		"--param", "broadcastBy=nobody",
		"--param", "auth=jwt",
		"--param", secretParameter,
		"--param", "jwtIssuer=https://issuer.example",
		"--param", "jwtAudience=chat",
		"--param", "origins=https://example.com, https://*.example.com",
		"--param", "historyDays=0",
		"--param", domainName,
		"--param", certificate,
	},
}

// packages returns the output of `sls package` for each stage, in a copy of the service,
// without network and credentials. All tests share one run.
func packages(t *testing.T) map[string]packaged {
	t.Helper()
	sls := testenv.NodeBin(t, "sls")
	shared.Do(func() { shared.packages = packageStages(t, sls) })
	if len(shared.packages) != len(stages) {
		t.Fatal("the service was not packaged; another test says why")
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
	testenv.CopyService(t, service)
	offline := filepath.Join(testenv.Root(), "integration", "template", "testdata", "offline.cjs")
	shared.env = append(testenv.CleanEnv(t, shared.dir), `NODE_OPTIONS=--require "`+offline+`"`)
	made := map[string]packaged{}
	for stage, params := range stages {
		out := filepath.Join(shared.dir, stage)
		args := append([]string{"package", "--stage", stage, "--package", out}, params...)
		run(t, service, shared.env, sls, args...)
		made[stage] = readPackage(t, stage, out)
	}
	return made
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

// The guard around packaging must notice a request.
func TestOfflineGuardCanFail(t *testing.T) {
	cmd := exec.Command(testenv.Node(t), "--require", "./testdata/offline.cjs", "--eval", "fetch('http://127.0.0.1:65535')")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 97 {
		t.Errorf("a request under the guard: %v, %s", err, out)
	}
}

func readPackage(t *testing.T, stage, out string) packaged {
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
			Provider                template
			InitialServerlessConfig struct{ Params map[string]map[string]any }
			Functions               map[string]struct {
				Package struct{ Artifact string }
			}
		}
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(out, "serverless-state.json")), &state); err != nil {
		t.Fatal(err)
	}
	p.provider = state.Service.Provider
	p.params = state.Service.InitialServerlessConfig.Params
	for name, function := range state.Service.Functions {
		artifact := function.Package.Artifact
		p.artifacts[name] = artifact
		p.zips[artifact] = readFile(t, filepath.Join(out, filepath.Base(artifact)))
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
