package template_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/testenv"
)

// refused are parameters that cannot work, with the line that says so.
var refused = []struct{ stage, param, want string }{
	{"dev", "batchSize=11", "batchSize is 11: without a batchWindow, 10 is the most"},
	{"prod", "batchWindow=0", "batchSize is 100: without a batchWindow, 10 is the most"},
	{"prod", "batchSize=10001", `batchSize is "10001", and has to be a whole number, from 1 to 10000`},
	{"dev", "batchWindow=31", `batchWindow is "31", and has to be a whole number, from 0 to 30`},
	{"dev", "accountLogRole=created", `accountLogRole is "created", and has to be one of create, existing`},
	{"dev", "tracing=active", `tracing is "active", and has to be one of Active, PassThrough`},
	{"dev", "logLevel=FATAL", `logLevel is "FATAL", and has to be one of DEBUG, INFO, WARN, ERROR`},
	{"dev", "postsInFlight=zero", `postsInFlight is "zero", and has to be a whole number, 1 or more`},
	{"dev", "postsInFlight=0", `postsInFlight is "0"`},
	{"dev", "postsPerSecond=many", `postsPerSecond is "many", and has to be a whole number, 1 or more`},
	{"dev", "postsPerSecond=0", `postsPerSecond is "0"`},
	{"dev", "postsPerSecond=1e4", `postsPerSecond is "1e4"`},
	{"dev", "fanOutConcurrency=5", `fanOutConcurrency is "5", and has to be a whole number, from 6 to 1000`},
	{"prod", "fanOutConcurrency=1001", `fanOutConcurrency is "1001"`},
	{"dev", "fanOutConcurrency=-2", `fanOutConcurrency is "-2"`},
	{"dev", "memory=64", `memory is "64", and has to be a whole number, from 128 to 10240`},
	{"dev", "throttleRate=0", `throttleRate is "0"`},
	{"dev", "batchSize=10", ""},
	{"prod", "fanOutConcurrency=6", ""},
	{"prod", "batchWindow=30", ""},
	{"prod", "alarmEmail=a=b@example.com", ""},
}

func TestBadParametersAreRefused(t *testing.T) {
	input := map[string]any{"params": packages(t)["dev"].params}
	var given [][2]string
	for _, c := range refused {
		given = append(given, [2]string{c.stage, c.param})
	}
	input["given"] = given
	out := run(t, ".", os.Environ(), testenv.Node(t), filepath.Join("testdata", "parameters.cjs"), text(input))
	var complaints []string
	if err := json.Unmarshal(out, &complaints); err != nil || len(complaints) != len(refused) {
		t.Fatalf("%s: %v", out, err)
	}
	for i, c := range refused {
		if got := complaints[i]; (got == "") != (c.want == "") || !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s in %s: %q, want a line with %q", c.param, c.stage, got, c.want)
		}
	}
}

func TestBadParameterStopsPackaging(t *testing.T) {
	packages(t)
	cmd := exec.CommandContext(t.Context(), testenv.NodeBin(t, "sls"), "package", "--param", "fanOutConcurrency=5",
		"--package", t.TempDir())
	cmd.Dir, cmd.Env = filepath.Join(shared.dir, "service"), shared.env
	out, err := cmd.CombinedOutput()
	const want = `The parameter fanOutConcurrency is "5", and has to be a whole number, from 6 to 1000.`
	if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), ".js:") {
		t.Errorf("%v\n%s\nwant a failure with the line %s and no stack", err, out, want)
	}
}
