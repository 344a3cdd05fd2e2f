package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/integration/tools/load/report"
)

// patience is how long a test waits for an expected event, and inTime makes the generator
// as patient. Only a hang exceeds either, even on a busy machine.
const patience = 2 * time.Minute

var inTime = []string{"-drain", "1m", "-connect-timeout", "1m"}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // most of these tests mostly wait
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(buildDir())
		os.Exit(code)
	}))
}

// result is the outcome of a run of the load generator.
type result struct {
	status         int
	stdout, stderr string
	report.Report
}

// load runs the generator within this process. ctx stands for the signal.
func load(t *testing.T, ctx context.Context, url string, args ...string) result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	var stdout, stderr bytes.Buffer
	status := run(ctx, slices.Concat([]string{"-url", url, "-json", file}, inTime, args), &stdout, &stderr)
	return finished(t, status, stdout.String(), stderr.String(), file)
}

func finished(t *testing.T, status int, stdout, stderr, file string) result {
	t.Helper()
	r := result{status: status, stdout: stdout, stderr: stderr}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; status %d\n%s\n%s", err, status, stdout, stderr)
	}
	if err := json.Unmarshal(source, &r.Report); err != nil {
		t.Fatal(err)
	}
	return r
}
