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

	"serverless-websocket/integration/tools/load/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
				t.Errorf("differs from %s; -update rewrites it (-want +got):\n%s", file, diff)
			}
		})
	}
}

// Reading the JSON back yields the whole report.
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

// An empty run can be reported in every format.
func TestEmpty(t *testing.T) {
	for name := range formats {
		got := render(t, report.Report{}, name) + render(t, report.Report{Seconds: []report.Second{{}}}, name)
		for _, bad := range []string{"NaN", "Inf", "%!"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s has %s:\n%s", name, bad, got)
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	for want, r := range map[string]report.Report{
		"Nothing was lost.":                             {},
		"1 delivery was lost.":                          {Deliveries: report.Deliveries{Lost: 1}},
		"1,234 deliveries were lost.":                   {Deliveries: report.Deliveries{Lost: 1234}},
		"Incomplete: x.":                                {Failure: "x"},
		"Interrupted before the end. Nothing was lost.": {Interrupted: true},
		"Interrupted before the end. 2 deliveries were lost. Incomplete: x.": {Deliveries: report.Deliveries{Lost: 2}, Failure: "x", Interrupted: true},
	} {
		if got := r.Verdict(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Missing deliveries are reported beside the percentiles, which leave them out.
func TestNeverArrived(t *testing.T) {
	for name, test := range map[string]struct {
		report report.Report
		want   float64
	}{
		"all arrived": {of(100, 100, 1000), 0},
		"not sent":    {of(100, 40, 400), 60},
		"unanswered":  {of(100, 100, 990), 1},
		"more than was due, on several connections": {of(100, 100, 1001), 0},
		"nothing was due": {report.Report{}, 0},
		"away":            {report.Report{Broadcasts: report.Broadcasts{Scheduled: 100}, Connections: report.Connections{Connected: 10}, Deliveries: report.Deliveries{Delivered: 900, MissedAway: 100}}, 0},
		"interrupted":     {report.Report{Interrupted: true, Broadcasts: report.Broadcasts{Scheduled: 100, Sent: 40}, Connections: report.Connections{Connected: 10}, Deliveries: report.Deliveries{Delivered: 400}}, 0},
	} {
		test.report.FromSend.Count = 1
		got := test.report.NeverArrived()
		told := strings.Contains(render(t, test.report, "sample.txt"), "never arrived") && strings.Contains(render(t, test.report, "sample.html"), "never arrived")
		if got != test.want || told != (test.want > 0) {
			t.Errorf("%s: %v %%, want %v; told: %v", name, got, test.want, told)
		}
	}
}

// of is a run with 10 clients.
func of(scheduled, sent, delivered int) report.Report {
	return report.Report{
		Connections: report.Connections{Connected: 10},
		Broadcasts:  report.Broadcasts{Scheduled: scheduled, Sent: sent},
		Deliveries:  report.Deliveries{Delivered: delivered},
	}
}

// A ramp without a step has no result.
func TestRampOutcome(t *testing.T) {
	for want, r := range map[string]report.Ramp{
		"ended before the first step": {Bound: 250},
		"No rate held":                {Bound: 250, Steps: []report.Step{{Rate: 10}}},
		"Up to 10 a second":           {Bound: 250, Steps: []report.Step{{Rate: 10, Held: true}}, LastRate: 10},
	} {
		if got := r.Outcome(); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMillis(t *testing.T) {
	for m, want := range map[report.Millis]string{
		0: "0", 0.007: "7 µs", 0.5: "500 µs", 0.9999: "1 ms", 999.4: "999 ms", 999.6: "1 s", 0.000_000_01: "0.00001 µs", 1: "1 ms", 12.345: "12.3 ms", 99.96: "100 ms", 123.4: "123 ms",
		1000: "1 s", 12_345: "12.3 s", 3_600_000: "3,600 s",
	} {
		if got := m.String(); got != want {
			t.Errorf("%g: %q, want %q", float64(m), got, want)
		}
	}
}
