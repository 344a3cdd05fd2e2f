package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"
)

//go:embed page.gohtml
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// HTML writes a page that needs nothing else: no scripts, no fonts, no network.
func (r Report) HTML(w io.Writer) error {
	return page.Execute(w, map[string]any{
		"Title":       r.Settings.title(),
		"URL":         r.Settings.URL,
		"Started":     r.Started.UTC().Format(time.RFC3339),
		"Verdict":     r.Verdict(),
		"Good":        r.Deliveries.Lost == 0 && r.Failure == "",
		"Stats":       r.stats(),
		"Rows":        r.rows(),
		"LatencyHead": latencyHead,
		"Latencies":   r.latencyRows(),
		"LatencyNote": r.latencyNote(),
		"StepHead":    stepHead,
		"Ramp":        r.Ramp,
		"Charts":      r.charts(),
		"Meanings":    meanings,
	})
}

// stats are the numbers to see first.
func (r Report) stats() []row {
	return []row{
		{"resumes", "In scenario resume the clients keep positions, are cut and resume. A broadcast is lost if a client " +
			"did not hand it on although it was sent after the client had its first position, and duplicated if the client " +
			"handed it on twice. Recovered ones came by a resume alone, and have no latency."},
		{"deliveries a second", short(r.Deliveries.PerSecond)},
		{"p50 from schedule", r.FromSchedule.P50.String()},
		{"p99 from schedule", r.FromSchedule.P99.String()},
		{"lost", number(r.Deliveries.Lost)},
	}
}

// meanings are the definitions behind the stats.
var meanings = []row{
	{"from schedule", "Latency from the time a broadcast was due until its receiver had read it. The schedule waits for nothing, so a service that keeps the sender waiting shows here."},
	{"from send", "Latency from just before the broadcast was written to the socket until its receiver had read it."},
	{"lost", "Accepted broadcasts that a connection did not get although it was open from before the sending until the end of the test or, if the client left of its own accord, until a grace period after the broadcast was accepted."},
	{"missed while away", "Accepted broadcasts that a client did not get because it had left of its own accord."},
	{"missed after a cut", "Accepted broadcasts that a client did not get because the service or the network ended its connection."},
	{"duplicated", "Deliveries of a broadcast to a connection that already had it."},
	{"out of order", "Deliveries of a broadcast after a later one from the same sender, unless it was sent before the client had connected."},
	{"deliveries a second", "Deliveries divided by the time from the start of the sending to the last delivery."},
	{"generator CPU", "The load generator's own CPU in that time. If both share a machine, the service cannot use this CPU."},
}
