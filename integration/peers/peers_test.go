package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/testenv"
)

// All servers that every machine with Go and Node has are measured, by the built
// programs, and understood.
func TestThePeersAreMeasured(t *testing.T) {
	testenv.NodeBin(t, "wscat") // npm has installed ws too then
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/", "./functions/standalone", "./integration/load", "./integration/peers")
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	peers := exec.Command(filepath.Join(dir, "peers"), "-service", filepath.Join(dir, "standalone"), "-load", filepath.Join(dir, "load"),
		"-clients", "5", "-broadcasts", "10", "-rate", "20", "-rounds", "1")
	var table, progress strings.Builder
	peers.Stdout, peers.Stderr = &table, &progress
	if err := peers.Run(); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	mustHave(t, table.String(), "| this service ", "| Go, centrifuge ", "| Node, npm ws ")
}
