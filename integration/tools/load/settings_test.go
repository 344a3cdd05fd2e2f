package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-size 79":                                `"79" for flag -size: want a whole number, 80 to 32608`,
		"-size 40000":                             `"40000" for flag -size: want a whole number, 80 to 32608`,
		"-clients 0":                              `"0" for flag -clients: want a whole number, 1 or more`,
		"-clients many":                           `"many" for flag -clients: want a whole number, 1 or more`,
		"-client 5":                               "unknown flag -client; did you mean -clients?",
		"-senders 11 -clients 10":                 `"11" for flag -senders: want at most as many as there are clients`,
		"-senders 0":                              `"0" for flag -senders: want a whole number, 1 or more`,
		"-rate 0":                                 `"0" for flag -rate: want a number, above 0`,
		"-rate NaN":                               `"NaN" for flag -rate`,
		"-broadcasts -1":                          `"-1" for flag -broadcasts: want a whole number, 1 to 10 million`,
		"-connect-rate -2":                        `"-2" for flag -connect-rate: want a number, 0 or more`,
		"-connect-rate Inf":                       `"Inf" for flag -connect-rate`,
		"-connect-timeout 0s":                     `"0s" for flag -connect-timeout: want a duration such as 10s, above 0`,
		"-drain -1s":                              `"-1s" for flag -drain: want a duration such as 10s, 0 or more`,
		"-drain 5":                                `"5" for flag -drain: want a duration such as 5s, 0 or more`,
		"-pid -1":                                 `"-1" for flag -pid: want a whole number, 0 or more`,
		"-url http://localhost?token=abc":         `"http://localhost?token=…" for flag -url: want ws://host or wss://host`,
		"-url ws://":                              "for flag -url: want ws://host",
		"-url ws://a:b:c":                         "-url",
		"-header Name":                            `"Name" for flag -header: want "Name: value"`,
		"-scenario storm":                         `"storm" for flag -scenario: want steady, burst, ramp, churn, slow, flood, resume`,
		"-protocol mqtt":                          `"mqtt" for flag -protocol: want service, echo, centrifuge`,
		"-scenario ramp -ramp-factor 1":           `"1" for flag -ramp-factor: want a number, above 1`,
		"-scenario ramp -ramp-factor Inf":         "-ramp-factor: want a number, above 1",
		"-scenario ramp -ramp-factor NaN":         "-ramp-factor: want a number, above 1",
		"-scenario ramp -ramp-step 5":             `"5" for flag -ramp-step: want a duration such as 5s, above 0`,
		"-scenario ramp -ramp-steps 0":            `"0" for flag -ramp-steps: want a whole number, 1 or more`,
		"-scenario ramp -p99-bound 250":           `"250" for flag -p99-bound: want a duration such as 250s, above 0`,
		"-scenario ramp -rate 1e6 -ramp-step 11s": `"11s" for flag -ramp-step: want at most 10 million broadcasts in the first step`,
		"-scenario ramp -broadcasts 5":            "-broadcasts has no effect in scenario ramp",
		"-scenario burst -rate 5":                 "-rate has no effect in scenario burst",
		"-slow-share 0.5":                         "-slow-share has no effect in scenario steady",
		"-scenario slow -slow-share 2":            `"2" for flag -slow-share: want a number, 0 to 1`,
		"-scenario slow -slow-speed 0":            `"0" for flag -slow-speed: want a whole number, 1 or more`,
		"-scenario churn -churn-share -0.1":       `"-0.1" for flag -churn-share: want a number, 0 to 1`,
		"-scenario churn -churn-stay 0s":          "-churn-stay: want a duration such as 10s, above 0",
		"-scenario churn -churn-away -1s":         "-churn-away: want a duration such as 10s, 0 or more",
		"-scenario churn -grace -1s":              "-grace: want a duration such as 10s, 0 or more",
		"-resume-share 0.5":                       "-resume-share has no effect in scenario steady",
		"-scenario resume -resume-share 2":        `"2" for flag -resume-share: want a number, 0 to 1`,
		"-scenario resume -resume-every 0s":       "-resume-every: want a duration such as 10s, above 0",
		"-scenario resume -resume-away -1s":       "-resume-away: want a duration such as 10s, 0 or more",
		"-scenario resume -protocol echo":         `"echo" for flag -protocol: want service in scenario resume`,
		"-scenario burst -senders 8 -clients 8 -outstanding 7": `"7" for flag -outstanding: want at least the number of senders`,
		"-scenario burst -outstanding 0":                       `"0" for flag -outstanding: want at least the number of senders`,
		"-json - -html -":                                      "only one can go to standard output",
		"-json a -csv b/../a":                                  "each needs its own file",
		"-lots":                                                "unknown flag -lots",
		"now":                                                  `unexpected argument "now"`,
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), strings.Fields(args), &stdout, &stderr)
		line := stderr.String()
		if status != exitUsage || !strings.Contains(line, want) || strings.Count(line, "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%s: status %d, %q, want %q", args, status, line, want)
		}
	}
}

func TestCannotRun(t *testing.T) {
	for args, want := range map[string]string{
		"-clients 9000000": "9000000 clients need 9000050 open files, but the limit is ",
		"-pid 1073741824":  "watch process 1073741824",
		"-html " + filepath.Join(t.TempDir(), "nowhere", "a.html"): "no such file or directory",
	} {
		var stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), io.Discard, &stderr); status != exitFailed || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %q", args, status, stderr.String())
		}
	}
}

// Every flag is in the help, in one group.
func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &stdout, &stderr); status != exitOK || stderr.Len() > 0 {
		t.Fatalf("status %d, %s", status, stderr.String())
	}
	var grouped []string
	for _, g := range groups {
		grouped = append(grouped, g.flags...)
	}
	new(settings).flags().VisitAll(func(one *flag.Flag) {
		if n := slices.Index(grouped, one.Name); n < 0 || slices.Contains(grouped[n+1:], one.Name) {
			t.Errorf("-%s is not in one group", one.Name)
		}
		if !strings.Contains(stdout.String(), "\n  -"+one.Name+" ") {
			t.Errorf("-%s is not in the help", one.Name)
		}
	})
	for _, want := range append([]string{"Exit status:", "(default 10s)"}, strings.Split(scenarioNames(), ", ")...) {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help has no %q", want)
		}
	}
	for line := range strings.Lines(stdout.String()) {
		if len(line) > 81 {
			t.Errorf("more than 80 columns: %s", line)
		}
	}
}

func TestDefaults(t *testing.T) {
	for url, want := range map[string]float64{
		"ws://localhost:3001": 5000, "ws://127.0.0.1": 5000, "ws://[::1]:80": 5000, "wss://a.example.com/dev": 500, "ws://10.0.0.1": 500,
	} {
		s, err := parse([]string{"-url", url}, io.Discard)
		if err != nil || s.connectRate != want {
			t.Errorf("%s: %v connections a second, %v", url, s.connectRate, err)
		}
	}
	if s, err := parse([]string{"-connect-rate", "0"}, io.Discard); err != nil || s.connectRate != 0 {
		t.Errorf("no limit becomes %v, %v", s.connectRate, err)
	}
	for args, want := range map[string]int{
		"":                          100,
		"-clients 300 -senders 101": 101,
		"-scenario burst -clients 300 -senders 150": 150,
		"-scenario burst -outstanding 7":            7,
	} {
		if s, err := parse(strings.Fields(args), io.Discard); err != nil || s.outstanding != want {
			t.Errorf("%q: %d outstanding, %v", args, s.outstanding, err)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func TestPublicURL(t *testing.T) {
	for private, want := range map[string]string{
		"ws://localhost:3001":                    "ws://localhost:3001",
		"wss://me:secret@a.b/dev":                "wss://a.b/dev",
		"wss://a.b/dev?token=secret&room=7&flag": "wss://a.b/dev?token=…&room=…&flag=…",
	} {
		s, err := parse([]string{"-url", private}, io.Discard)
		if got := publicURL(s.target); err != nil || got != want {
			t.Errorf("got %s, want %s (%v)", got, want, err)
		}
	}
}

// Behaviors apply to the requested share of clients, evenly spread.
func TestBehaviors(t *testing.T) {
	for _, test := range []struct {
		share float64
		of    int
		want  int
	}{{0, 100, 0}, {0.1, 100, 10}, {0.5, 7, 3}, {1, 9, 9}} {
		s := settings{slowShare: test.share, slowSpeed: 5}
		got, gap, most := 0, 0, 0
		for i := range test.of {
			if gap++; slow.behaviorOf(s, i).speed == 5 {
				got, gap = got+1, 0
			}
			most = max(most, gap)
		}
		if got != test.want || test.share > 0 && most > int(1/test.share) {
			t.Errorf("%v of %d: %d, at most %d apart", test.share, test.of, got, most)
		}
	}
}

func TestPace(t *testing.T) {
	if !newPace(0).Allow() || newPace(500).Burst() != 5 || newPace(1).Burst() != 1 {
		t.Error("burst")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if newPace(0).Wait(ctx) != nil {
		t.Error("without a limit there is a wait")
	}
}
