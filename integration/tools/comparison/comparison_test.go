package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// The built programs measure all servers that any machine with Go and Node has, and
// understand the results.
func TestServersAreMeasured(t *testing.T) {
	testenv.NodeBin(t, "wscat") // npm has installed ws too then
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/", "./functions/standalone", "./integration/tools/load", "./integration/tools/comparison")
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	comparison := exec.Command(filepath.Join(dir, "comparison"), "-service", filepath.Join(dir, "standalone"), "-load", filepath.Join(dir, "load"),
		"-clients", "5", "-broadcasts", "10", "-rate", "20", "-rounds", "1")
	var table, progress strings.Builder
	comparison.Stdout, comparison.Stderr = &table, &progress
	if err := comparison.Run(); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	mustHave(t, table.String(), "| this service ", "| this service, keeping nothing ", "| Go, centrifuge ", "| Node, npm ws ")
}
