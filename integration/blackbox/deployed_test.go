package blackbox

import (
	"sync"
	"testing"

	"serverless-websocket/integration/deployment"
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
