package blackbox

import (
	"path"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/integration/blackbox/deployment"
)

// stages are the deployments, by stage and parameters; nil if one failed.
var stages = struct {
	sync.Mutex
	deployed map[string]*deployment.Deployed
}{deployed: make(map[string]*deployment.Deployed)}

// deployed returns the result of `sls deploy` for a stage with parameters, such as
// "auth=jwt". It is deployed once for all tests.
func deployed(t testing.TB, stage string, params ...string) *deployment.Deployed {
	t.Helper()
	stages.Lock()
	defer stages.Unlock()
	command := []string{"npx", "sls", "deploy", "--stage", stage}
	for _, param := range params {
		command = append(command, "--param", param)
	}
	key := strings.Join(command, " ")
	d, tried := stages.deployed[key]
	if !tried {
		service := deployment.New(t)
		stages.deployed[key] = nil
		service.MustRun(t, command...)
		d = service.Stage(t, stage)
		stages.deployed[key] = d
	}
	if d == nil {
		t.Fatalf("the stage %s was not deployed; another test says why", stage)
	}
	return d
}

// zips returns the zip files of the functions of the stage, by program name.
func zips(d *deployment.Deployed) map[string][]byte {
	found := make(map[string][]byte)
	for _, f := range d.Stack.OfType("AWS::Lambda::Function") {
		code, _ := f.Properties["Code"].(map[string]any)
		key, _ := code["S3Key"].(string)
		found[strings.TrimSuffix(path.Base(key), ".zip")] = d.Objects[key]
	}
	return found
}
