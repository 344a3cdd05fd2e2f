package main

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// buildDir holds the built programs until the tests are over.
var buildDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "load-")
	if err != nil {
		panic(err)
	}
	return dir
})

// build builds the generator and the service once for all tests. The other tests
// run the generator under the race detector.
var build = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", buildDir()+"/", "./integration/tools/load", "./functions/standalone")
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// program returns one of the built programs, not started.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return exec.Command(buildDir()+"/"+name, args...)
}
