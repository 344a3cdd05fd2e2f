package blackbox

import (
	"path"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/integration/blackbox/deployment"
)

// stages are what was deployed, by stage; nil where that failed.
var stages = struct {
	sync.Mutex
	deployed map[string]*deployment.Deployed
}{deployed: make(map[string]*deployment.Deployed)}

// deployed returns what `sls deploy` makes of a stage. It is made once for all
// tests.
func deployed(t testing.TB, stage string) *deployment.Deployed {
	t.Helper()
	stages.Lock()
	defer stages.Unlock()
	d, tried := stages.deployed[stage]
	if !tried {
		service := deployment.New(t)
		stages.deployed[stage] = nil
		service.MustRun(t, "npx", "sls", "deploy", "--stage", stage)
		d = service.Stage(t, stage)
		stages.deployed[stage] = d
	}
	if d == nil {
		t.Fatalf("the stage %s was not deployed; another test says why", stage)
	}
	return d
}

// zips returns the zip files that the functions of the stage run, by the names of
// their programs.
func zips(d *deployment.Deployed) map[string][]byte {
	found := make(map[string][]byte)
	for _, f := range d.Stack.OfType("AWS::Lambda::Function") {
		code, _ := f.Properties["Code"].(map[string]any)
		key, _ := code["S3Key"].(string)
		found[strings.TrimSuffix(path.Base(key), ".zip")] = d.Objects[key]
	}
	return found
}
