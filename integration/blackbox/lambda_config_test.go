package blackbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"serverless-websocket/integration/testenv"
)

// functionConfig is what serverless.yml says about a function, as far as it is
// of use here. Durations are in seconds.
type functionConfig struct {
	Timeout     int
	Environment map[string]any // text, or a reference to a resource
	Events      []struct {
		HTTPAPI   string `json:"httpApi"`
		WebSocket *routeConfig
		SQS       *sourceConfig
	}
}

type routeConfig struct {
	Route    string
	Response string `json:"routeResponseSelectionExpression"`
}

type sourceConfig struct {
	ARN struct {
		GetAtt [2]string `json:"Fn::GetAtt"` // a queue of this file, and "Arn"
	}
	BatchSize, MaximumBatchingWindow, MaximumConcurrency int
}

// UnmarshalJSON takes the name of a route for the route as well.
func (c *routeConfig) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, &c.Route)
	}
	type plain routeConfig
	return json.Unmarshal(text, (*plain)(c))
}

// configured returns the functions of serverless.yml by the names of their
// folders, with the parameters of the stage dev, as the Serverless Framework
// reads them.
func configured(t testing.TB) map[string]functionConfig {
	t.Helper()
	testenv.NodeBin(t, "sls")
	functions, err := readConfig()
	if err != nil {
		t.Fatal(err)
	}
	return functions
}

var readConfig = sync.OnceValues(func() (map[string]functionConfig, error) {
	cmd := exec.Command(filepath.Join(testenv.NodeModules(), ".bin", "sls"), "print", "--path", "functions", "--format", "json")
	cmd.Dir = testenv.Root()
	// Without credentials, and a home folder to look for more in.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + buildDir()}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("sls print: %w\n%s", err, out)
	}
	var all map[string]functionConfig
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("sls print: %w", err)
	}
	functions := make(map[string]functionConfig, len(all))
	for name, f := range all {
		functions[strings.ToLower(name)] = f
	}
	return functions, nil
})

// variables returns a function's environment, with resources in the place of the
// references to them.
func (f functionConfig) variables(t testing.TB, resources map[string]string) (env []string) {
	t.Helper()
	for name, value := range f.Environment {
		text, ok := value.(string)
		if !ok {
			reference, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if text, ok = resources[string(reference)]; !ok {
				t.Fatalf("serverless.yml: %s is %s, for which there is nothing here", name, reference)
			}
		}
		env = append(env, name+"="+text)
	}
	return env
}
