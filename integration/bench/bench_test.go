package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain lets the test binary be a child, which is this program again.
func TestMain(m *testing.M) {
	if playRole() {
		return
	}
	os.Exit(m.Run())
}

// TestQuick runs everything once. Whether targets are met only `make bench` can
// tell.
func TestQuick(t *testing.T) {
	var report strings.Builder
	if err := run(&report, t.Output(), quick); err != nil {
		t.Fatal(err)
	}
	t.Log(report.String())
	for _, want := range []string{asItComes, tuned + ", HTTP/2", plainHTTP, project, "each in a pass of its own", "allocations a post", "at least 20× faster"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report has nothing of %q", want)
		}
	}
}

func TestConnectionIDs(t *testing.T) {
	seen := map[string]bool{}
	for i := range int64(1000) {
		id := string(connectionID(i))
		if len(id) != 16 || !strings.HasSuffix(id, "=") || seen[id] {
			t.Fatalf("id %d is %q", i, id)
		}
		seen[id] = true
	}
}
