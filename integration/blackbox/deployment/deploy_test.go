package deployment

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/environments/testenv"
)

// deploy is the README's command.
func deploy(t *testing.T, s *Service, args ...string) string {
	t.Helper()
	return s.MustRun(t, append([]string{"npx", "sls", "deploy"}, args...)...)
}

func firstDeployment(t *testing.T, s *Service) {
	out := deploy(t, s)
	d := s.Stage(t, "dev")
	for _, want := range []string{
		"Service deployed to stack serverless-websocket-dev",
		d.Stack.Outputs["ServiceEndpointWebsocket"],
		"GET - " + d.Stack.Outputs["HttpApiUrl"] + "/ping",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("deploy does not print %q:\n%s", want, out)
		}
	}
	if len(d.Objects) != 12 {
		t.Errorf("%d objects in the bucket, want ten zips, the template and the state", len(d.Objects))
	}
	checkCode(t, d)
}

// checkCode checks that each function runs, byte for byte, what was built, and that its
// code is in the bucket where the template says.
func checkCode(t *testing.T, d *Deployed) {
	t.Helper()
	for _, function := range d.Stack.OfType("AWS::Lambda::Function") {
		code, _ := function.Properties["Code"].(map[string]any)
		key, _ := code["S3Key"].(string)
		built, err := os.ReadFile(filepath.Join(d.Dir, ".serverless", path.Base(key)))
		if err != nil {
			t.Fatal(err)
		}
		if code["S3Bucket"] != d.Bucket || !bytes.Equal(d.Objects[key], built) {
			t.Errorf("the object at %v/%s is not what was built: %d bytes, %d bytes", code["S3Bucket"], key, len(d.Objects[key]), len(built))
		}
		if runs, _ := d.AWS.Code(Region, function.PhysicalID); !bytes.Equal(runs, built) {
			t.Errorf("%s does not run what was built", function.PhysicalID)
		}
	}
}

func nothingToDeploy(t *testing.T, s *Service) {
	before := s.Stage(t, "dev")
	if out := deploy(t, s); !strings.Contains(out, "No changes to deploy. Deployment skipped.") {
		t.Errorf("a deployment without a change prints\n%s", out)
	}
	if after := s.Stage(t, "dev"); len(after.Objects) != len(before.Objects) {
		t.Errorf("%d objects became %d", len(before.Objects), len(after.Objects))
	}
}

func changedParameters(t *testing.T, s *Service) {
	before := s.Stage(t, "dev")
	deploy(t, s, "--param", "batchWindow=1", "--param", "auth=jwt", "--param", "jwksUrl=https://issuer.example/jwks.json")
	d := s.Stage(t, "dev")
	if d.hasAuthorizer() == before.hasAuthorizer() || slices.Equal(d.apiDeployments(), before.apiDeployments()) {
		t.Errorf("the API has no authorizer, or was not deployed again: %v", d.apiDeployments())
	}
	source := d.Stack.Resources["FanOutEventSourceMappingSQSJobsQueue"]
	if got := source.Properties["MaximumBatchingWindowInSeconds"]; got != 1.0 {
		t.Errorf("the window is %v", got)
	}
	checkCode(t, d)
}

// hasAuthorizer reports whether clients need a token.
func (d *Deployed) hasAuthorizer() bool {
	return d.Stack.Resources["SconnectWebsocketsRoute"].Properties["AuthorizationType"] == "CUSTOM" &&
		len(d.Stack.OfType("AWS::ApiGatewayV2::Authorizer")) == 1
}

// apiDeployments are the physical ids of deployments of APIs: a change of the API takes
// effect with a new one.
func (d *Deployed) apiDeployments() (ids []string) {
	for _, deployment := range d.Stack.OfType("AWS::ApiGatewayV2::Deployment") {
		ids = append(ids, deployment.PhysicalID)
	}
	return ids
}

// changedSource deploys without the parameters of before, too.
func changedSource(t *testing.T, s *Service) {
	before := s.Stage(t, "dev")
	s.edit(t, "functions/ping/main.go", "func main() {", "func main() {\n\tprintln(`one`)")
	deploy(t, s)
	after := s.Stage(t, "dev")
	checkCode(t, after)
	if !before.hasAuthorizer() || after.hasAuthorizer() {
		t.Error("the authorizer was not removed with auth=jwt")
	}
	for _, function := range after.Stack.OfType("AWS::Lambda::Function") {
		now, _ := s.AWS.Code(Region, function.PhysicalID)
		same := bytes.Equal(now, before.code(function.LogicalID))
		if isPing := function.LogicalID == "PingLambdaFunction"; same == isPing {
			t.Errorf("the code of %s is the same: %v", function.LogicalID, same)
		}
	}
}

// code returns the zip that the template names for a function.
func (d *Deployed) code(logicalID string) []byte {
	code, _ := d.Stack.Resources[logicalID].Properties["Code"].(map[string]any)
	key, _ := code["S3Key"].(string)
	return d.Objects[key]
}

// edit changes a file of the copy.
func (s *Service) edit(t *testing.T, name, old, replacement string) {
	t.Helper()
	file := filepath.Join(s.Dir, name)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(source, []byte(old)) {
		t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(file, bytes.Replace(source, []byte(old), []byte(replacement), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// refused are mistakes in serverless.yml, with the deployment's error.
var refused = map[string]struct{ old, mistake, want string }{
	"before anything changes": {
		"JOBS_QUEUE_URL: !Ref JobsQueue", "JOBS_QUEUE_URL: !Ref JobQueue",
		"The CloudFormation template is invalid: Template format error: " +
			"Resources/SendMessageLambdaFunction/Properties/Environment/Variables/JOBS_QUEUE_URL/Ref: unknown reference: there is no JobQueue",
	},
	"by a resource": {
		"MessageRetentionPeriod: 1209600", "MessageRetention: 1209600",
		"UPDATE_FAILED: DeadLetterQueue (AWS::SQS::Queue)\n" +
			"Properties validation failed for resource DeadLetterQueue with message: " +
			"Properties.MessageRetention: Additional properties are not allowed",
	},
}

func refusedDeployments(t *testing.T, s *Service) {
	before := s.Stage(t, "dev").Stack
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			s.edit(t, "serverless.yml", c.old, c.mistake)
			defer s.edit(t, "serverless.yml", c.mistake, c.old)
			out, err := s.Run(t, "npx", "sls", "deploy")
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v, want a failure with %q:\n%s", err, c.want, out)
			}
			if diff := cmp.Diff(before, s.Stage(t, "dev").Stack); diff != "" {
				t.Errorf("the stack has changed: %s", diff)
			}
		})
	}
}

// otherStage has prod beside dev, with its own domain; prod is protected.
func otherStage(t *testing.T, s *Service) {
	const name = "serverless-websocket-prod"
	s.MustRun(t, "make", "deploy", "STAGE=prod", "ARGS=--param domainName=chat.example.com "+
		"--param certificateArn=arn:aws:acm:ap-northeast-2:123456789012:certificate/0f0e0d0c-1111-2222-3333-444455556666")
	if got := s.Stage(t, "prod").Stack.Resources["CustomDomain"].PhysicalID; got != "chat.example.com" {
		t.Errorf("the domain is %q", got)
	}
	if got := s.Stage(t, "prod").Stack.Resources["WebsocketsDeploymentStage"].Properties["StageName"]; got != "prod" {
		t.Errorf("the stage is %v", got)
	}
	want := map[string]string{"stage": "prod", "service": "serverless-websocket"}
	if diff := cmp.Diff(want, s.AWS.Tags(Region, name)); diff != "" {
		t.Error(diff)
	}
	out, err := s.Run(t, "make", "remove", "STAGE=prod")
	if err == nil || !strings.Contains(out, "deletion protection is enabled") || !s.AWS.Protected(Region, name) {
		t.Errorf("a protected stage was removed: %v\n%s", err, out)
	}
	s.AWS.Unprotect(Region, name)
	s.MustRun(t, "make", "remove", "STAGE=prod")
	if _, _, ok := s.AWS.Stack(Region, name); ok {
		t.Error("make remove left the stack")
	}
	s.Stage(t, "dev")
}

// The guard around the commands must notice a request to another host.
func TestGuardCanFail(t *testing.T) {
	cmd := exec.Command(testenv.Node(t), "--require", "./testdata/loopback.cjs", "--eval", "fetch('http://192.0.2.1')")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 97 {
		t.Errorf("a request under the guard: %v, %s", err, out)
	}
}
