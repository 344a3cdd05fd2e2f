package main

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"serverless-websocket/integration/tools/load/report"
)

// instead is a fault with one broadcast on one connection: what the connection gets
// instead.
func instead(n, connection int, numbers ...int) func(int, int) []int {
	return func(gotN, gotConnection int) []int {
		if gotN == n && gotConnection == connection {
			return numbers
		}
		return []int{gotN}
	}
}

func accepted(n string) string { return `{"accepted":{"id":"x","ref":"` + n + `"}}` }

// With 10 clients and 20 broadcasts (the sender's connection is the first), the report
// says exactly what the service did with them.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		faults     faults
		args       []string
		status     int
		deliveries report.Deliveries
		broadcasts report.Broadcasts
		failure    string
	}{
		"none": {deliveries: report.Deliveries{Delivered: 200}},
		"loses": {
			faults: faults{deliver: instead(7, 3)}, args: []string{"-drain", "10s"},
			status: exitLost, deliveries: report.Deliveries{Delivered: 199, Lost: 1},
		},
		"loses the last": {
			faults: faults{deliver: instead(19, 3)}, args: []string{"-drain", "10s"},
			status: exitLost, deliveries: report.Deliveries{Delivered: 199, Lost: 1},
		},
		"duplicates": {
			faults:     faults{deliver: instead(7, 3, 7, 7, 7)},
			deliveries: report.Deliveries{Delivered: 200, Duplicated: 2},
		},
		"duplicates later": {
			faults:     faults{deliver: instead(15, 3, 15, 7)},
			deliveries: report.Deliveries{Delivered: 200, Duplicated: 1},
		},
		"reorders": {
			faults: faults{deliver: func(n, connection int) []int {
				switch {
				case connection == 3 && n == 7:
					return nil
				case connection == 3 && n == 9:
					return []int{9, 7}
				}
				return []int{n}
			}},
			deliveries: report.Deliveries{Delivered: 200, OutOfOrder: 1},
		},
		"rejects": {
			faults: faults{
				reply: func(n int) string {
					switch {
					case n%4 == 0:
						return `{"error":{"code":"unavailable","ref":"` + strconv.Itoa(n) + `"}}`
					case n == 5:
						return `{"message":"Internal server error","requestId":"x"}`
					}
					return accepted(strconv.Itoa(n))
				},
				deliver: func(n, _ int) []int {
					if n%4 == 0 || n == 5 {
						return nil
					}
					return []int{n}
				},
			},
			status:     exitFailed,
			failure:    "6 broadcasts rejected",
			deliveries: report.Deliveries{Delivered: 140},
			broadcasts: report.Broadcasts{Accepted: 14, Rejected: map[string]int{"unavailable": 5, "Internal server error": 1}},
		},
		"does not reply": {
			faults: faults{reply: func(n int) string {
				if n == 4 {
					return ""
				}
				return accepted(strconv.Itoa(n))
			}},
			args:       []string{"-drain", "10s"},
			status:     exitFailed,
			failure:    "1 broadcast unanswered",
			deliveries: report.Deliveries{Delivered: 200},
			broadcasts: report.Broadcasts{Accepted: 19, Unanswered: 1},
		},
		"accepts nothing": {
			faults:     faults{reply: func(n int) string { return `{"error":{"code":"internal","ref":"` + strconv.Itoa(n) + `"}}` }},
			status:     exitFailed,
			failure:    "no broadcast was accepted, 20 broadcasts rejected",
			deliveries: report.Deliveries{Delivered: 200},
			broadcasts: report.Broadcasts{Accepted: 0, Rejected: map[string]int{"internal": 20}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-clients", "10", "-broadcasts", "20", "-rate", "200"}, test.args...)
			r := load(t, t.Context(), serve(t, test.faults).url, args...)
			if r.status != test.status || r.Failure != test.failure {
				t.Errorf("status %d, want %d; %q, want %q", r.status, test.status, r.Failure, test.failure)
			}
			ignore := cmpopts.IgnoreFields(report.Deliveries{}, "PerSecond", "Frames", "Bytes")
			if diff := cmp.Diff(test.deliveries, r.Deliveries, ignore); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
			want := test.broadcasts
			want.Scheduled, want.Sent = 20, 20
			if want.Accepted == 0 && want.Rejected == nil {
				want.Accepted = 20
			}
			if diff := cmp.Diff(want, r.Broadcasts, cmpopts.IgnoreFields(want, "Seconds"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("broadcasts (-want +got):\n%s", diff)
			}
			if lost := strings.Contains(r.stdout, "Nothing was lost."); lost != (test.status == exitOK) {
				t.Errorf("the summary:\n%s", r.stdout)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	wrong := faults{refuse: func(connection int) bool { return connection == 4 || connection == 6 }}
	r := load(t, t.Context(), serve(t, wrong).url, "-clients", "10", "-broadcasts", "5")
	if r.status != exitFailed || r.Connections.Connected != 8 || r.Connections.Refused["HTTP 503"] != 2 || r.Deliveries.Delivered != 40 {
		t.Errorf("status %d, %+v, %d delivered", r.status, r.Connections, r.Deliveries.Delivered)
	}
	if !strings.Contains(r.stderr, "2 of 10 clients were refused: HTTP 503") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
}

// Output that goes to standard output is alone there.
func TestStandardOutput(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{"-json": "{\n", "-csv": "from_s,", "-html": "<!doctype html>"} {
		var stdout, stderr bytes.Buffer
		f := serve(t, faults{})
		status := run(t.Context(), []string{"-url", f.url, "-clients", "2", "-broadcasts", "2", flag, "-"}, &stdout, &stderr)
		if status != exitOK || !strings.HasPrefix(stdout.String(), want) || !strings.Contains(stderr.String(), "Nothing was lost.") {
			t.Errorf("%s: status %d, %.40q, %s", flag, status, stdout.String(), stderr.String())
		}
	}
}

// Without its sender, the generator does not try to connect the others.
func TestCannotConnect(t *testing.T) {
	t.Parallel()
	f := serve(t, faults{refuse: func(connection int) bool { return connection == 0 }})
	r := load(t, t.Context(), f.url, "-clients", "3")
	if r.status != exitFailed || r.Connections.Connected != 0 || !strings.Contains(r.stderr, "cannot connect: HTTP 503") {
		t.Errorf("status %d, %d connected, %s", r.status, r.Connections.Connected, r.stderr)
	}
	if !strings.Contains(r.stdout, "Incomplete: cannot connect") {
		t.Errorf("the summary:\n%s", r.stdout)
	}
}

// A stall of the service shows in the latencies of all broadcasts due during it.
func TestStall(t *testing.T) {
	t.Parallel()
	const stall = time.Second
	wrong := faults{before: func(n int) {
		if n == 50 {
			time.Sleep(stall)
		}
	}}
	r := load(t, t.Context(), serve(t, wrong).url, "-clients", "5", "-broadcasts", "200", "-rate", "100")
	l := r.FromSchedule
	if r.status != exitOK || l.Max < 900 || l.P90 < 400 {
		t.Errorf("status %d, p90 %v, max %v", r.status, l.P90, l.Max)
	}
}

// The signal ends the sending; the generator waits for sent broadcasts and reports them.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	wrong := faults{before: func(n int) {
		if n == 10 {
			interrupt()
		}
	}}
	r := load(t, ctx, serve(t, wrong).url, "-clients", "5", "-broadcasts", "1000", "-rate", "50")
	if r.status != exitOK || !r.Interrupted || r.Broadcasts.Sent < 11 || r.Broadcasts.Sent == 1000 {
		t.Errorf("status %d, interrupted %v, %d sent", r.status, r.Interrupted, r.Broadcasts.Sent)
	}
	if r.Deliveries.Delivered != 5*r.Broadcasts.Accepted || !strings.Contains(r.stdout, "Interrupted") {
		t.Errorf("%d accepted, %d delivered\n%s", r.Broadcasts.Accepted, r.Deliveries.Delivered, r.stdout)
	}
}

func TestInterruptedWhileConnecting(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	wrong := faults{refuse: func(connection int) bool {
		if connection == 3 {
			interrupt()
		}
		return false
	}}
	r := load(t, ctx, serve(t, wrong).url, "-clients", "100", "-connect-rate", "20")
	if !r.Interrupted || r.Broadcasts.Sent != 0 || r.Connections.Connected > 50 {
		t.Errorf("%d sent to %d clients", r.Broadcasts.Sent, r.Connections.Connected)
	}
}
