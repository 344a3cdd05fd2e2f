// Package deployment deploys the service the way its users do: with the real Serverless
// Framework, started by the README's commands in a copy of the service, against a control
// plane on this machine.
package deployment

import (
	"context"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"serverless-websocket/integration/environments/cloudformation"
	"serverless-websocket/integration/environments/cloudformation/validator"
	"serverless-websocket/integration/environments/controlplane"
	"serverless-websocket/integration/environments/testenv"
)

const (
	// Region is where serverless.yml deploys to by default.
	Region = "ap-northeast-2"
	// commandTimeout limits one command; the first one compiles the functions.
	commandTimeout = 5 * time.Minute
)

// Service is a copy of the service with a control plane to deploy it to.
type Service struct {
	Dir string // with .serverless as left by the last command
	AWS *controlplane.Server
	env []string
}

// New copies the service and starts a control plane. Both are gone when the test ends; it
// fails if a command made a call that the control plane does not know. Without Node.js or
// the npm packages, the test is skipped.
func New(t testing.TB) *Service {
	t.Helper()
	testenv.NodeBin(t, "sls")
	v, err := sharedValidator(testenv.Node(t))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	s := &Service{Dir: filepath.Join(home, "service"), AWS: controlplane.Start(v.Validate)}
	t.Cleanup(func() {
		s.AWS.Close()
		for _, call := range s.AWS.Unknown() {
			t.Errorf("the control plane does not know %s", call)
		}
	})
	testenv.CopyService(t, s.Dir)
	loopback := filepath.Join(testenv.Root(), "integration", "blackbox", "deployment", "testdata", "loopback.cjs")
	s.env = append(testenv.CleanEnv(t, home),
		"AWS_ENDPOINT_URL="+s.AWS.URL, "AWS_ACCESS_KEY_ID=DEPLOYER", "AWS_SECRET_ACCESS_KEY=not-a-secret",
		"AWS_EC2_METADATA_DISABLED=true", "npm_config_offline=true", "npm_config_update_notifier=false",
		`NODE_OPTIONS=--require "`+loopback+`"`,
		"SLS_AWS_MONITORING_FREQUENCY=20", // milliseconds between checks of a stack
	)
	return s
}

// sharedValidator starts one validator for all services of this process. It ends with the
// process.
var sharedValidator = func() func(node string) (*validator.Validator, error) {
	var once sync.Once
	var v *validator.Validator
	var err error
	return func(node string) (*validator.Validator, error) {
		once.Do(func() { v, err = validator.Start(node) })
		return v, err
	}
}()

// Run runs a command in the service's folder, such as "npx", "sls", "deploy", and returns
// all its output. It returns an error if the command failed.
func (s *Service) Run(t testing.TB, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = s.Dir, s.env
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// MustRun is Run for a command that must succeed.
func (s *Service) MustRun(t testing.TB, command ...string) string {
	t.Helper()
	out, err := s.Run(t, command...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", command, err, out)
	}
	return out
}

// Deployed is the result of a deployment.
type Deployed struct {
	*Service
	Stack    *cloudformation.Stack
	Template *cloudformation.Template // to resolve it for another environment
	Bucket   string
	Objects  map[string][]byte // in the bucket, by key
}

// Stage returns the result of the last deployment to a stage.
func (s *Service) Stage(t testing.TB, stage string) *Deployed {
	t.Helper()
	name := "serverless-websocket-" + stage
	stack, template, ok := s.AWS.Stack(Region, name)
	if !ok {
		t.Fatalf("there is no stack %s", name)
	}
	bucket := stack.Outputs["ServerlessDeploymentBucketName"]
	return &Deployed{Service: s, Stack: stack, Template: template, Bucket: bucket, Objects: s.AWS.Objects(bucket)}
}

// Deploy deploys the service to the stage dev with the parameters, such as
// "batchWindow=1", and returns the result.
func Deploy(t testing.TB, params ...string) *Deployed {
	t.Helper()
	s := New(t)
	command := []string{"npx", "sls", "deploy"}
	for _, param := range params {
		command = append(command, "--param", param)
	}
	s.MustRun(t, command...)
	return s.Stage(t, "dev")
}
