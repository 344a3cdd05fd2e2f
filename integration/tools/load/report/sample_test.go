package report_test

import (
	"math"
	"time"

	"serverless-websocket/integration/tools/load/report"
)

// sample is a run in which everything happened.
func sample() report.Report {
	r := report.Report{
		Settings: report.Settings{
			URL: "wss://api.example.com/dev?token=…", Scenario: "ramp", Clients: 1200, Senders: 2, Rate: 10, Size: 100,
			Details: "×1.5 every 5s",
		},
		Started: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
		Failure: "3 of 1200 clients were refused: HTTP 429 (<too many>)",
		Connections: report.Connections{
			Connected: 1197, Seconds: 2.394, Refused: map[string]int{"HTTP 429": 3}, Reconnects: 2,
			Closed: map[string]int{"1001": 1, "lost without a close frame": 1},
		},
		Broadcasts: report.Broadcasts{
			Scheduled: 126, Sent: 125, Accepted: 122, Rejected: map[string]int{"unavailable": 2}, Unanswered: 1, NotSent: 1, Seconds: 10.4,
		},
		Deliveries: report.Deliveries{
			Delivered: 145_900, PerSecond: 14_028.8, ToSlow: 900, Lost: 12, Duplicated: 1, OutOfOrder: 4, MissedAway: 30, MissedCut: 8,
			Foreign: 5, Damaged: 1, Unreadable: 2, Frames: 120_000, Bytes: 29_345_678,
		},
		FromSend:     latency(0.7),
		FromSchedule: latency(1),
		SlowReaders:  latency(30),
		Generator: report.Generator{
			UserSeconds: 0.61, SystemSeconds: 0.402, PerDelivery: 6.94, Cores: 2, Go: "go1.26.0", System: "linux/amd64",
		},
		Ramp: &report.Ramp{Bound: 250, LastRate: 10, Steps: []report.Step{
			{Rate: 10, Broadcasts: 50, P99: 41.5, Held: true}, {Rate: 15, Broadcasts: 75},
		}},
		Resume: &report.Resume{
			Cuts: 40, Resumes: 39, Recovered: 160, ToldLost: 1, Gaps: 2, Waits: 3,
			Refused: map[string]int{"unavailable": 1}, Latency: latency(0.1),
		},
	}
	for i := range 10 {
		s := report.Second{From: float64(i), To: float64(i + 1), Connected: 1197 - i%3, Sent: 12, Accepted: 12, Bytes: 2_800_000}
		if i != 4 { // nothing arrived in that second
			s.Delivered = 14_000 + 300*i
			s.P50, s.P99, s.Max = 10+report.Millis(i), 40*report.Millis(i+1), 50*report.Millis(i+1)
		}
		r.Seconds = append(r.Seconds, s)
	}
	return r
}

// latency is a distribution with a tail.
func latency(factor report.Millis) report.Latency {
	l := report.Latency{Count: 100_000, Mean: 14.2 * factor, P50: 12.3 * factor, P90: 24.6 * factor, P99: 41.5 * factor, P999: 260 * factor, Max: 1234 * factor}
	for left := 100.0; left > 0.001; left /= 2 {
		l.Points = append(l.Points, report.Point{Percent: 100 - left, Latency: report.Millis(math.Round(1000*9/math.Cbrt(left/100))/1000) * factor})
	}
	l.Points = append(l.Points, report.Point{Percent: 100, Latency: l.Max})
	return l
}
