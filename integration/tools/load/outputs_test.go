package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/tools/load/report"
)

// A file keeps its content until there is a complete report to replace it.
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

// A device can take a report as well.
func TestOutputToDevice(t *testing.T) {
	out, err := openOutputs(settings{json: os.DevNull}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.write(report.Report{}); err != nil {
		t.Error(err)
	}
}

// Only after the summary does it say what was written where.
func TestOutputsSayWhereTheyAre(t *testing.T) {
	dir := t.TempDir()
	s := settings{json: "-", csv: filepath.Join(dir, "a.csv"), html: filepath.Join(dir, "a.html")}
	var stdout, stderr bytes.Buffer
	out, err := openOutputs(s, &stdout, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.write(report.Report{}); err != nil {
		t.Fatal(err)
	}
	want := "JSON written to standard output\nCSV written to " + s.csv + "\nHTML written to " + s.html + "\n"
	if !strings.HasSuffix(stderr.String(), want) || strings.Contains(stdout.String(), "written") {
		t.Errorf("stderr %q, stdout %q", stderr.String(), stdout.String())
	}
}

// It does not list files that could not be written.
func TestOutputThatFails(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	var summary bytes.Buffer
	out, err := openOutputs(settings{csv: "/dev/full"}, &summary, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.write(report.Report{}); err == nil || !strings.Contains(err.Error(), "/dev/full") || strings.Contains(summary.String(), "written") {
		t.Errorf("%v, %q", err, summary.String())
	}
}
