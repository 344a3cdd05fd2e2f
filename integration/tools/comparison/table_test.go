package main

import (
	"strings"
	"testing"

	"serverless-websocket/integration/tools/load/report"
)

// rounds are the rounds of a server that takes this much CPU.
func rounds(cpu ...float64) (all []round) {
	for _, c := range cpu {
		server := &report.Server{PerDelivery: c, BytesPerConnection: 10_000}
		one := report.Report{
			Server: server, Connections: report.Connections{Connected: 10, Seconds: 1}, FromSchedule: report.Latency{P99: 20},
			Seconds: []report.Second{{To: 1}, {From: 1, To: 5}},
		}
		all = append(all, round{paced: one, burst: one, flooded: one})
	}
	return all
}

func table(servers ...[]round) string {
	var out strings.Builder
	write(&out, settings{clients: 10}, []contender{{name: "ours"}, {name: "theirs"}}, servers)
	return out.String()
}

func mustHave(t *testing.T, table string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(table, part) {
			t.Errorf("no %q in %s", part, table)
		}
	}
}

func TestTheTableHasMediansAndRatios(t *testing.T) {
	mustHave(t, table(rounds(9, 1, 5), rounds(2, 10, 90)), "| ours", "| 5.0 µs", "| theirs | 10.0 µs (2×)", "10.0 KB (1×)")
}

// The effect of a flood is relative to the same server without one, for the service too.
func TestTheFloodHasTheRatioToTheSameServerWithoutIt(t *testing.T) {
	ours, theirs := rounds(1), rounds(1)
	ours[0].flooded.FromSchedule.P99 = 30
	theirs[0].paced.FromSchedule.P99, theirs[0].flooded.FromSchedule.P99 = 40, 200
	ours[0].flooded.Deliveries.Foreign = 500
	mustHave(t, table(ours, theirs), "| 30 ms (1.5×)", "| 40 ms (2×)", "| 200 ms (5×)", "| 10 ")
}

// The p99 of what arrived is meaningless if more than one in a hundred did not.
func TestWhatAFloodLosesIsInTheTable(t *testing.T) {
	ours, theirs := rounds(1, 1, 1), rounds(1, 1, 1)
	lose := func(r *round, delivered int) {
		r.flooded.Broadcasts.Scheduled, r.flooded.Deliveries.Delivered = 100, delivered
	}
	lose(&ours[0], 10)  // one bad round of three
	lose(&ours[1], 991) // less than one in a hundred
	lose(&theirs[0], 600)
	lose(&theirs[1], 700)
	mustHave(t, table(ours, theirs), "| 20 ms (1×)", "| 30 % lost")
}
