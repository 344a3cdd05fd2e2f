package report

import "fmt"

// row is one line of the summary, in every format.
type row struct{ Label, Text string }

// rows are the summary without latencies.
func (r Report) rows() []row {
	rows := []row{
		{"connections", r.connectionsText()},
		{"broadcasts", r.broadcastsText()},
		{"deliveries", r.deliveriesText()},
		{"faults", r.faultsText()},
	}
	if text := each(r.Connections.Refused, "%s × %s"); text != "" {
		rows = append(rows, row{"refused", text})
	}
	if text := each(r.Broadcasts.Rejected, "%s × %s"); text != "" {
		rows = append(rows, row{"rejected", text})
	}
	if text := each(r.Connections.Closed, "%s × %s"); text != "" {
		rows = append(rows, row{"closed by server", text})
	}
	if r.Resume != nil {
		rows = append(rows, row{"resumes", r.Resume.text()})
	}
	if text := r.othersText(); text != "" {
		rows = append(rows, row{"besides", text})
	}
	rows = append(rows, row{"generator CPU", r.Generator.text()})
	if r.Server != nil {
		rows = append(rows, row{"server", r.Server.text()})
	}
	return rows
}

func (r Report) connectionsText() string {
	c := r.Connections
	text := fmt.Sprintf("%s of %s in %s s", number(c.Connected), number(r.Settings.Clients), short(c.Seconds))
	if c.Seconds > 0 {
		text += fmt.Sprintf(" (%s/s)", short(float64(c.Connected)/c.Seconds))
	}
	return text + fmt.Sprintf(", %s refused, %s", number(c.Refusals()), plural(c.Reconnects, "reconnect"))
}

func (r Report) broadcastsText() string {
	b := r.Broadcasts
	text := fmt.Sprintf("%s sent, %s accepted, %s rejected, %s unanswered",
		number(b.Sent), number(b.Accepted), number(b.Rejections()), number(b.Unanswered))
	if b.NotSent > 0 {
		text += fmt.Sprintf(", %s not sent", number(b.NotSent))
	}
	return text
}

func (r Report) deliveriesText() string {
	d := r.Deliveries
	text := fmt.Sprintf("%s in %s s, %s/s, %s",
		number(d.Delivered), short(r.Broadcasts.Seconds), short(d.PerSecond), bytesText(d.Bytes))
	if d.Frames > 0 {
		text += fmt.Sprintf(", %s a frame", short(float64(d.Delivered)/float64(d.Frames)))
	}
	if d.ToSlow > 0 {
		text += fmt.Sprintf("; %s of them to slow readers", number(d.ToSlow))
	}
	return text
}

func (r Report) faultsText() string {
	d := r.Deliveries
	text := fmt.Sprintf("%s lost, %s duplicated, %s out of order, %s missed while away",
		number(d.Lost), number(d.Duplicated), number(d.OutOfOrder), number(d.MissedAway))
	if d.MissedCut > 0 {
		text += fmt.Sprintf(", %s missed after a cut", number(d.MissedCut))
	}
	return text
}

// othersText reports what should not be there at all.
func (r Report) othersText() string {
	d := r.Deliveries
	if d.Foreign+d.Damaged+d.Unreadable == 0 {
		return ""
	}
	return fmt.Sprintf("%s of others, %s damaged, %s unreadable frames",
		number(d.Foreign), number(d.Damaged), number(d.Unreadable))
}

func (r Resume) text() string {
	text := fmt.Sprintf("%s, %s (p50 %v, p99 %v); %s recovered, %s told as lost, %s told to wait, %s",
		plural(r.Cuts, "cut"), plural(r.Resumes, "resume"), r.Latency.P50, r.Latency.P99,
		number(r.Recovered), number(r.ToldLost), number(r.Waits), plural(r.Gaps, "gap"))
	if refused := each(r.Refused, "%s × %s"); refused != "" {
		text += "; refused: " + refused
	}
	return text
}

func (g Generator) text() string {
	return fmt.Sprintf("%s s user, %s s system, %s µs a delivery; %s, %s, %s",
		short(g.UserSeconds), short(g.SystemSeconds), short(g.PerDelivery), plural(g.Cores, "core"), g.Go, g.System)
}

func (s Server) text() string {
	return fmt.Sprintf("%s s CPU, %s µs a delivery; %s KB for each connection while idle",
		short(s.CPUSeconds), short(s.PerDelivery), short(s.BytesPerConnection/1e3))
}

// latencyRow is one line of the table of latencies.
type latencyRow struct {
	Label  string
	Values []Millis
}

var latencyHead = []string{"p50", "p90", "p99", "p99.9", "max"}

func (r Report) latencyRows() []latencyRow {
	var rows []latencyRow
	for _, l := range []struct {
		label string
		Latency
	}{
		{"from send", r.FromSend}, {"from schedule", r.FromSchedule}, {"slow readers", r.SlowReaders},
	} {
		if l.Count > 0 {
			rows = append(rows, latencyRow{l.label, []Millis{l.P50, l.P90, l.P99, l.P999, l.Max}})
		}
	}
	return rows
}

// latencyNote says what the latencies leave out, if anything.
func (r Report) latencyNote() string {
	percent := r.NeverArrived()
	if percent == 0 {
		return ""
	}
	return short(percent) + " % of due deliveries never arrived; the percentiles cover the rest."
}

// Rows are the table of the steps.
func (r Ramp) Rows() [][]string {
	var rows [][]string
	for _, s := range r.Steps {
		p99, held := s.P99.String(), "yes"
		if s.P99 == 0 {
			p99 = "over " + r.Bound.String()
		}
		if !s.Held {
			held = "no"
		}
		rows = append(rows, []string{short(s.Rate) + "/s", number(s.Broadcasts), p99, held})
	}
	return rows
}

var stepHead = []string{"rate", "broadcasts", "p99 from schedule", "held"}

// Outcome is the result of the ramp in a sentence.
func (r Ramp) Outcome() string {
	if len(r.Steps) == 0 {
		return "It ended before the first step was over."
	}
	if r.LastRate == 0 {
		return "No rate held: the p99 of the first step was above " + r.Bound.String() + ", or broadcasts were not accepted."
	}
	return fmt.Sprintf("Up to %s a second the p99 stayed within %s.", short(r.LastRate), r.Bound)
}
