package main

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"time"

	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/load/tally"
)

// report tells what was measured. The trial must be over.
func (t *trial) report(failure error) report.Report {
	refused, closed := t.events.counts()
	counts, sends := t.tally.Counts(), t.tally.SendCounts()
	fromSend, fromSchedule, slowReaders := t.tally.Latencies()
	took := interval{t.sending.from, max(t.sending.from, counts.LastDelivery)}.length().Seconds()
	r := report.Report{
		Settings:    t.settings.shown(),
		Started:     t.started,
		Interrupted: t.interrupted,
		Connections: report.Connections{
			Connected:  t.connected,
			Seconds:    t.connecting.length().Seconds(),
			Refused:    refused,
			Reconnects: counts.Reconnects,
			Closed:     closed,
		},
		Broadcasts: report.Broadcasts{
			Scheduled:  sends.Scheduled,
			Sent:       sends.Sent,
			Accepted:   sends.Accepted,
			Rejected:   sends.Rejected,
			Unanswered: sends.Unanswered(),
			NotSent:    sends.Scheduled - sends.Sent,
			Seconds:    took,
		},
		Deliveries:   deliveries(counts, took),
		FromSend:     latency(fromSend),
		FromSchedule: latency(fromSchedule),
		SlowReaders:  latency(slowReaders),
		Generator:    t.generator(counts.Delivered),
		Server:       t.server.report(t.connected, counts.Delivered),
		Ramp:         t.ramp(),
		Seconds:      t.seconds(),
	}
	if failure != nil {
		r.Failure = failure.Error()
	}
	return r
}

// shown are the settings that may be read by others: values in the URL's query
// can be secrets.
func (s settings) shown() report.Settings {
	shown := report.Settings{
		URL:        publicURL(s.target),
		Scenario:   s.scenario,
		Clients:    s.clients,
		Senders:    s.senders,
		Broadcasts: s.broadcasts,
		Rate:       s.rate,
		Size:       s.size,
		Details:    s.details(),
	}
	switch s.scenario {
	case burst.name:
		shown.Rate, shown.Outstanding = 0, s.outstanding
	case ramp.name:
		shown.Broadcasts = 0
	}
	return shown
}

func publicURL(u *url.URL) string {
	public := *u
	public.User = nil
	var names []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name+"=…")
		}
	}
	public.RawQuery = ""
	text := public.String()
	if len(names) > 0 {
		text += "?" + strings.Join(names, "&")
	}
	return text
}

// details are the settings of the scenario alone.
func (s settings) details() string {
	switch s.scenario {
	case ramp.name:
		return fmt.Sprintf("×%g every %v", s.rampFactor, s.rampStep)
	case churn.name:
		return fmt.Sprintf("%g %% of the clients leave after about %v for about %v, grace %v",
			100*s.churnShare, s.churnStay, s.churnAway, s.grace)
	case slow.name:
		return fmt.Sprintf("%g %% of the clients read %d bytes a second", 100*s.slowShare, s.slowSpeed)
	}
	return ""
}

func deliveries(c tally.Counts, seconds float64) report.Deliveries {
	d := report.Deliveries{
		Delivered:  c.Delivered,
		ToSlow:     c.DeliveredSlow,
		Lost:       c.Lost,
		Duplicated: c.Duplicated,
		OutOfOrder: c.OutOfOrder,
		MissedAway: c.MissedAway,
		MissedCut:  c.MissedCut,
		Foreign:    c.Foreign,
		Damaged:    c.Damaged,
		Unreadable: c.Unreadable,
		Frames:     c.Frames,
		Bytes:      c.Bytes,
	}
	if seconds > 0 {
		d.PerSecond = float64(c.Delivered) / seconds
	}
	return d
}

func latency(l tally.Latency) report.Latency {
	out := report.Latency{
		Count: l.Count,
		Mean:  millis(l.Mean),
		P50:   millis(l.P50), P90: millis(l.P90), P99: millis(l.P99), P999: millis(l.P999), Max: millis(l.Max),
		Points: []report.Point{},
	}
	for _, q := range l.Curve {
		out.Points = append(out.Points, report.Point{Percent: q.Percent, Latency: millis(q.Latency)})
	}
	return out
}

func millis(d time.Duration) report.Millis {
	return report.Millis(float64(d) / float64(time.Millisecond))
}

func (t *trial) generator(delivered int) report.Generator {
	g := report.Generator{
		UserSeconds:   t.cpu.user.Seconds(),
		SystemSeconds: t.cpu.system.Seconds(),
		Cores:         runtime.GOMAXPROCS(0),
		Go:            runtime.Version(),
		System:        runtime.GOOS + "/" + runtime.GOARCH,
	}
	if delivered > 0 {
		g.PerDelivery = float64((t.cpu.user + t.cpu.system).Microseconds()) / float64(delivered)
	}
	return g
}

// ramp is nil when no stretch had a bound.
func (t *trial) ramp() *report.Ramp {
	if t.settings.scenario != ramp.name {
		return nil
	}
	r := &report.Ramp{Bound: millis(t.settings.p99Bound), Steps: []report.Step{}}
	for _, v := range t.verdicts {
		step := report.Step{Rate: v.rate, Broadcasts: v.count, P99: millis(v.p99), Held: v.held()}
		if v.beyond {
			step.P99 = 0
		}
		if step.Held {
			r.LastRate = v.rate
		}
		r.Steps = append(r.Steps, step)
	}
	return r
}

func (t *trial) seconds() []report.Second {
	seconds := []report.Second{}
	since := func(at int64) float64 { return interval{t.sending.from, at}.length().Seconds() }
	for _, s := range t.tally.Series() {
		seconds = append(seconds, report.Second{
			From: since(s.From), To: since(s.To),
			Connected: s.Connected, Sent: s.Sent, Accepted: s.Accepted, Rejected: s.Rejected,
			Delivered: s.Delivered, Bytes: s.Bytes,
			P50: millis(s.P50), P99: millis(s.P99), Max: millis(s.Max),
		})
	}
	return seconds
}
