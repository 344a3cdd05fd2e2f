package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"serverless-websocket/integration/load/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

var formats = map[string]func(report.Report, io.Writer) error{
	"sample.txt":  report.Report.Text,
	"sample.json": report.Report.JSON,
	"sample.csv":  report.Report.CSV,
	"sample.html": report.Report.HTML,
}

func render(t *testing.T, r report.Report, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats[format](r, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name := range formats {
		t.Run(name, func(t *testing.T) {
			got, file := render(t, sample(), name), filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("not as in %s; -update writes it anew (-want +got):\n%s", file, diff)
			}
		})
	}
}

// What is read back is what was written, in the JSON all of it.
func TestReadBack(t *testing.T) {
	var r report.Report
	if err := json.Unmarshal([]byte(render(t, sample(), "sample.json")), &r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	records, err := csv.NewReader(strings.NewReader(render(t, sample(), "sample.csv"))).ReadAll()
	if err != nil || len(records) != len(sample().Seconds)+1 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// A run in which nothing happened can be told in every way.
func TestEmpty(t *testing.T) {
	for name := range formats {
		got := render(t, report.Report{}, name)
		for _, bad := range []string{"NaN", "Inf", "%!"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s has %s:\n%s", name, bad, got)
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	for want, r := range map[string]report.Report{
		"Nothing was lost.":                         {},
		"1,234 deliveries were lost.":               {Deliveries: report.Deliveries{Lost: 1234}, Failure: "x", Interrupted: true},
		"Not done as asked: x.":                     {Failure: "x"},
		"Interrupted; nothing was lost until then.": {Interrupted: true},
	} {
		if got := r.Verdict(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMillis(t *testing.T) {
	for m, want := range map[report.Millis]string{
		0: "0", 0.007: "7 µs", 0.5: "500 µs", 0.9999: "1,000 µs", 1: "1 ms", 12.345: "12.3 ms", 99.96: "100 ms", 123.4: "123 ms",
		1000: "1 s", 12_345: "12.3 s", 3_600_000: "3,600 s",
	} {
		if got := m.String(); got != want {
			t.Errorf("%g: %q, want %q", float64(m), got, want)
		}
	}
}
