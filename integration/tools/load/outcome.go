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

// report returns the measurements. The run must be over.
func (r *loadRun) report(failure error) report.Report {
	refused, closed := r.events.counts()
	counts, sends := r.tally.Counts(), r.tally.SendCounts()
	fromSend, fromSchedule, slowReaders := r.tally.Latencies()
	took := interval{r.sending.from, max(r.sending.from, counts.LastDelivery)}.length().Seconds()
	result := report.Report{
		Settings:    r.settings.shown(),
		Started:     r.started,
		Interrupted: r.interrupted,
		Connections: report.Connections{
			Connected:  r.connected,
			Seconds:    r.connecting.length().Seconds(),
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
		Generator:    r.generator(counts.Delivered),
		Server:       r.server.report(r.connected, counts.Delivered),
		Ramp:         r.ramp(),
		Resume:       r.resume(counts.Recovered),
		Seconds:      r.seconds(),
	}
	if failure != nil {
		result.Failure = failure.Error()
	}
	return result
}

// shown are the settings without secrets: values in the URL's query can be secret.
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

// details are the settings specific to the scenario.
func (s settings) details() string {
	switch s.scenario {
	case ramp.name:
		return fmt.Sprintf("×%g every %v", s.rampFactor, s.rampStep)
	case churn.name:
		return fmt.Sprintf("%g %% of the clients leave after about %v for about %v, grace %v",
			100*s.churnShare, s.churnStay, s.churnAway, s.grace)
	case slow.name:
		return fmt.Sprintf("%g %% of the clients read %d bytes a second", 100*s.slowShare, s.slowSpeed)
	case resume.name:
		return fmt.Sprintf("%g %% of the clients are cut every %v and resume after about %v",
			100*s.resumeShare, s.resumeEvery, s.resumeAway)
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

func (r *loadRun) generator(delivered int) report.Generator {
	g := report.Generator{
		UserSeconds:   r.cpu.user.Seconds(),
		SystemSeconds: r.cpu.system.Seconds(),
		Cores:         runtime.GOMAXPROCS(0),
		Go:            runtime.Version(),
		System:        runtime.GOOS + "/" + runtime.GOARCH,
	}
	if delivered > 0 {
		g.PerDelivery = float64((r.cpu.user + r.cpu.system).Microseconds()) / float64(delivered)
	}
	return g
}

// ramp is nil if no phase had a bound.
func (r *loadRun) ramp() *report.Ramp {
	if r.settings.scenario != ramp.name {
		return nil
	}
	result := &report.Ramp{Bound: millis(r.settings.p99Bound), Steps: []report.Step{}}
	for _, v := range r.verdicts {
		step := report.Step{Rate: v.rate, Broadcasts: v.count, P99: millis(v.p99), Held: v.held()}
		if v.beyond {
			step.P99 = 0
		}
		if step.Held {
			result.LastRate = v.rate
		}
		result.Steps = append(result.Steps, step)
	}
	return result
}

// resume is nil in other scenarios.
func (r *loadRun) resume(recovered int) *report.Resume {
	if !r.settings.chosen.follow {
		return nil
	}
	return r.resumes.report(recovered)
}

func (r *loadRun) seconds() []report.Second {
	seconds := []report.Second{}
	since := func(at int64) float64 { return interval{r.sending.from, at}.length().Seconds() }
	for _, s := range r.tally.Series() {
		seconds = append(seconds, report.Second{
			From: since(s.From), To: since(s.To),
			Connected: s.Connected, Sent: s.Sent, Accepted: s.Accepted, Rejected: s.Rejected,
			Delivered: s.Delivered, Bytes: s.Bytes,
			P50: millis(s.P50), P99: millis(s.P99), Max: millis(s.Max),
		})
	}
	return seconds
}
