package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"serverless-websocket/integration/load/report"
)

// What is in a file stays until there is a report to take its place, all of it.
func TestOutputsKeepWhatThereIs(t *testing.T) {
	file, old := filepath.Join(t.TempDir(), "report.csv"), make([]byte, 10_000)
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := openOutputs(settings{csv: file}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(file); err != nil || len(kept) != len(old) {
		t.Errorf("%d bytes are left, %v", len(kept), err)
	}
	if err := out.write(report.Report{}); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(file); err != nil || len(now) == 0 || len(now) > 200 {
		t.Errorf("%d bytes, %v", len(now), err)
	}
}

// A device takes a report as well.
func TestOutputToDevice(t *testing.T) {
	out, err := openOutputs(settings{json: os.DevNull}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.write(report.Report{}); err != nil {
		t.Error(err)
	}
}
