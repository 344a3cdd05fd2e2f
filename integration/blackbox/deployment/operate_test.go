package deployment

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/environments/testenv"
)

const pingLog = "/aws/lambda/serverless-websocket-dev-ping"

// TestLifecycle is the life of one stage, and of others beside it. Each step builds on
// the previous ones.
func TestLifecycle(t *testing.T) {
	s := New(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *Service)
	}{
		{"deploy", firstDeployment},
		{"deploy again", nothingToDeploy},
		{"log before the first run", noLogYet},
		{"deploy parameters", changedParameters},
		{"refuse", refusedDeployments},
		{"deploy source", changedSource},
		{"info", info},
		{"deploy function", deployFunction},
		{"log", logs},
		{"follow the log", followLog},
		{"other stage", otherStage},
		{"roll back", rollBack},
		{"remove", remove},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, s) }) {
			t.FailNow() // the next ones depend on it
		}
	}
}

func info(t *testing.T, s *Service) {
	outputs := s.Stage(t, "dev").Stack.Outputs
	short, long := s.MustRun(t, "npx", "sls", "info"), s.MustRun(t, "npx", "sls", "info", "--verbose")
	for _, want := range []string{outputs["ServiceEndpointWebsocket"], "GET - " + outputs["HttpApiUrl"] + "/ping"} {
		if !strings.Contains(short, want) || !strings.Contains(long, want) {
			t.Errorf("info does not print %s:\n%s", want, short)
		}
	}
	for name, value := range outputs {
		if !strings.Contains(long, name+": "+value) {
			t.Errorf("info --verbose does not print %s: %s\n%s", name, value, long)
		}
	}
}

// deployFunction compares with what make package builds from the same source, which also
// shows that packaging twice gives the same bytes.
func deployFunction(t *testing.T, s *Service) {
	command := []string{"npx", "sls", "deploy", "function", "-f", "ping"}
	out := s.MustRun(t, command...)
	for _, want := range []string{"Code did not change", "Function configuration did not change"} {
		if !strings.Contains(out, want) {
			t.Errorf("deploy function without a change does not print %q:\n%s", want, out)
		}
	}
	s.edit(t, "functions/ping/main.go", "println(`one`)", "println(`two`)")
	s.MustRun(t, command...)
	s.MustRun(t, "make", "package")
	for _, function := range s.Stage(t, "dev").Stack.OfType("AWS::Lambda::Function") {
		code, _ := function.Properties["Code"].(map[string]any)
		key, _ := code["S3Key"].(string)
		built, err := os.ReadFile(filepath.Join(s.Dir, "build", "packages", path.Base(key)))
		if err != nil {
			t.Fatal(err)
		}
		if runs, _ := s.AWS.Code(Region, function.PhysicalID); !bytes.Equal(runs, built) {
			t.Errorf("%s does not run what make package builds", function.PhysicalID)
		}
	}
}

func noLogYet(t *testing.T, s *Service) {
	const want = "\nping has no log on the stage dev: it has not run yet.\n"
	out, err := s.Run(t, "make", "logs", "FUNCTION=ping")
	if err == nil || !strings.Contains(out, want) || strings.Contains(out, ".js:") {
		t.Errorf("%v, want a failure with the line %q and no stack:\n%s", err, want, out)
	}
}

func logs(t *testing.T, s *Service) {
	s.AWS.Log(Region, pingLog, "instance-1", `{"level":"INFO","message":"first"}`)
	if out := s.MustRun(t, "npx", "sls", "logs", "-f", "ping"); !strings.Contains(out, `"message":"first"`) {
		t.Errorf("logs prints\n%s", out)
	}
}

func followLog(t *testing.T, s *Service) {
	cmd := exec.Command("make", "logs", "FUNCTION=ping")
	cmd.Dir, cmd.Env = s.Dir, s.env
	p := testenv.Start(t, cmd)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lines := 0
	if err := testenv.Poll(ctx, func() bool {
		lines++
		s.AWS.Log(Region, pingLog, "instance-2", `{"level":"INFO","message":"second"}`)
		return strings.Contains(p.Output(), `"message":"second"`)
	}); err != nil {
		t.Errorf("make logs shows none of %d lines: %v", lines, err)
	}
}

var timestamp = regexp.MustCompile(`Timestamp: (\d+)`)

func rollBack(t *testing.T, s *Service) {
	listed := timestamp.FindAllStringSubmatch(s.MustRun(t, "npx", "sls", "rollback"), -1)
	deployments := s.Stage(t, "dev").deployments()
	if len(listed) != len(deployments) || len(listed) < 3 {
		t.Fatalf("rollback lists %v, in the bucket are %v", listed, deployments)
	}
	if out := s.MustRun(t, "npx", "sls", "rollback", "-t", listed[0][1]); !strings.Contains(out, "Service rolled back") {
		t.Errorf("rollback prints\n%s", out)
	}
	d := s.Stage(t, "dev")
	source := d.Stack.Resources["FanOutEventSourceMappingSQSJobsQueue"]
	if window, set := source.Properties["MaximumBatchingWindowInSeconds"]; set && window != 0.0 {
		t.Errorf("the window is %v", window)
	}
	runs, _ := s.AWS.Code(Region, d.Stack.Resources["PingLambdaFunction"].PhysicalID)
	if !bytes.Equal(runs, d.Objects[deployments[0]+"/ping.zip"]) {
		t.Error("ping does not run the code of the first deployment")
	}
}

// deployments returns the folders of the bucket, the oldest first.
func (d *Deployed) deployments() []string {
	folders := map[string]bool{}
	for key := range d.Objects {
		folders[path.Dir(key)] = true
	}
	return slices.Sorted(maps.Keys(folders))
}

func remove(t *testing.T, s *Service) {
	bucket := s.Stage(t, "dev").Bucket
	if out := s.MustRun(t, "npx", "sls", "remove"); !strings.Contains(out, "has been successfully removed") {
		t.Errorf("remove prints\n%s", out)
	}
	if _, _, ok := s.AWS.Stack(Region, "serverless-websocket-dev"); ok {
		t.Error("remove left the stack")
	}
	if diff := cmp.Diff(map[string][]byte{}, s.AWS.Objects(bucket)); diff != "" {
		t.Errorf("remove left objects: %s", diff)
	}
}
