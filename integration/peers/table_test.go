package main

import (
	"strings"
	"testing"

	"serverless-websocket/integration/load/report"
)

func TestTheTableHasMediansAndRatios(t *testing.T) {
	rounds := func(cpu ...float64) (all []round) {
		for _, c := range cpu {
			server := &report.Server{PerDelivery: c, BytesPerConnection: 10_000}
			one := report.Report{Server: server, Connections: report.Connections{Connected: 10, Seconds: 1}}
			all = append(all, round{paced: one, burst: one})
		}
		return all
	}
	var out strings.Builder
	write(&out, settings{clients: 10}, []contender{{name: "ours"}, {name: "theirs"}},
		[][]round{rounds(9, 1, 5), rounds(2, 10, 90)})
	for _, part := range []string{"| ours", "| 5.0 µs", "| theirs | 10.0 µs (2×)", "10.0 KB (1×)"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in %s", part, out.String())
		}
	}
}
