package blackbox

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/blackbox/deployment"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// TestDeployedZips runs the programs from the deployed zips, which are for arm64. They
// must answer like those built for this machine, which all other tests run.
func TestDeployedZips(t *testing.T) {
	built := identifiedLambda(identity{})
	cfg := built
	cfg.emulator, cfg.programs, cfg.timeouts = testenv.Arm64(t), unpacked(t, deployed(t, "dev", cfg.params...)), make(map[string]time.Duration)
	for name := range cfg.programs {
		cfg.timeouts[name] = time.Minute // emulated programs take long to start
	}
	want, got := session(t, startLambda(t, built)), session(t, startLambda(t, cfg))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the deployed zips answer differently:\n%s", diff)
	}
}

// unpacked returns the programs from the zips of a deployment, by name.
func unpacked(t *testing.T, d *deployment.Deployed) map[string]string {
	t.Helper()
	programs := make(map[string]string)
	for name, zip := range zips(d) {
		dir := t.TempDir()
		file := filepath.Join(dir, name+".zip")
		if err := os.WriteFile(file, zip, 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if programs[name], err = lambdalocal.Unpack(file, dir); err != nil {
			t.Fatal(err)
		}
	}
	return programs
}

// unique finds ids, times and epochs, which differ each time.
var unique = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]{12}Z|"epoch":"[0-9a-z]+"`)

// session has each function serve an event, and returns what a client gets, without the
// parts that differ each time.
func session(t *testing.T, s *lambdaService) []string {
	t.Helper()
	response, err := http.Get(s.httpURL + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{response.Status, string(body)}

	c := signIn(t, s.target, token(t, "alice", nil))
	c.send(`{"action":"nothing"}`)
	c.send(sendTemplate + `"서버리스 <&> 😀"}`)
	for range 3 { // an error, that it was accepted, and the message
		f, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, unique.ReplaceAllString(f, "…"))
	}
	c.ws.CloseNow()
	s.logs.await(t, "disconnected", "connectionId", connected(t, s.target, 1)[0])
	slices.Sort(got[2:])
	return got
}
