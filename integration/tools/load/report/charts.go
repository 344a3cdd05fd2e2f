package report

import (
	"math"
	"slices"
)

// charts are the charts that have data.
func (r Report) charts() []chart {
	var all []chart
	if r.FromSchedule.Count > 0 {
		all = append(all, r.latencyOverTime(), r.distribution())
	}
	if len(r.Seconds) > 0 {
		all = append(all,
			r.rates("deliveries", "Deliveries a second", series{"a", "delivered", func(s Second) int { return s.Delivered }}),
			r.rates("broadcasts", "Broadcasts a second",
				series{"a", "sent", func(s Second) int { return s.Sent }},
				series{"b dashed", "accepted", func(s Second) int { return s.Accepted }}))
	}
	if r.Connections.Reconnects > 0 || len(r.Connections.Closed) > 0 {
		all = append(all, r.connectedOverTime())
	}
	return all
}

// latencyOverTime leaves out the seconds without deliveries.
func (r Report) latencyOverTime() chart {
	x, y := r.timeAxis(), r.latencyAxis()
	c := newChart(x, y)
	c.ID, c.Title = "latency", "Latency over time"
	c.XLabel, c.YLabel = "seconds since sending began", "from schedule, log scale"
	for _, l := range []struct {
		class, label string
		value        func(Second) Millis
	}{
		{"c", "max", func(s Second) Millis { return s.Max }},
		{"b", "p99", func(s Second) Millis { return s.P99 }},
		{"a", "p50", func(s Second) Millis { return s.P50 }},
	} {
		points := r.overTime(func(s Second) (float64, bool) { return float64(l.value(s)), s.Max > 0 })
		c.Lines = append(c.Lines, line{l.class, l.label, path(points, x, y)})
	}
	return c
}

func (r Report) distribution() chart {
	x, y := percentiles(r.FromSchedule.Count), r.latencyAxis()
	c := newChart(x, y)
	c.ID, c.Title = "distribution", "Latency distribution"
	c.XLabel, c.YLabel = "share of deliveries that took at most this long", "latency, log scale"
	for _, l := range []struct {
		class, label string
		Latency
	}{
		{"b", "from schedule", r.FromSchedule}, {"a dashed", "from send", r.FromSend}, {"c", "slow readers, from schedule", r.SlowReaders},
	} {
		if l.Count == 0 {
			continue
		}
		var points []point
		for _, p := range l.Points {
			points = append(points, point{x: p.Percent, y: float64(p.Latency)})
		}
		c.Lines = append(c.Lines, line{l.class, l.label, path(points, x, y)})
	}
	return c
}

// series is a count drawn as a rate.
type series struct {
	class, label string
	value        func(Second) int
}

func (r Report) rates(id, title string, lines ...series) chart {
	most, shortest := 0.0, r.usualLength()/2
	var all [][]point
	for _, l := range lines {
		points := r.overTime(func(s Second) (float64, bool) {
			return float64(l.value(s)) / s.Length(), s.Length() > shortest
		})
		for _, p := range points {
			if !p.missing {
				most = max(most, p.y)
			}
		}
		all = append(all, points)
	}
	x, y := r.timeAxis(), linear(most, quantity)
	c := newChart(x, y)
	c.ID, c.Title, c.XLabel, c.YLabel = id, title, "seconds since sending began", "a second"
	for i, l := range lines {
		c.Lines = append(c.Lines, line{l.class, l.label, path(all[i], x, y)})
	}
	return c
}

// usualLength is the length of most intervals. In a much shorter one, such as the last, a
// single broadcast makes a spike.
func (r Report) usualLength() float64 {
	var lengths []float64
	for _, s := range r.Seconds {
		lengths = append(lengths, s.Length())
	}
	slices.Sort(lengths)
	return lengths[len(lengths)/2]
}

func (r Report) connectedOverTime() chart {
	x, y := r.timeAxis(), linear(float64(r.Settings.Clients), quantity)
	c := newChart(x, y)
	c.ID, c.Title, c.XLabel, c.YLabel = "connected", "Connected clients", "seconds since sending began", "clients"
	points := r.overTime(func(s Second) (float64, bool) { return float64(s.Connected), true })
	c.Lines = []line{{"a", "connected", path(points, x, y)}}
	return c
}

// overTime has a point in the middle of each interval.
func (r Report) overTime(value func(Second) (float64, bool)) []point {
	var points []point
	for _, s := range r.Seconds {
		y, ok := value(s)
		points = append(points, point{x: (s.From + s.To) / 2, y: y, missing: !ok})
	}
	return points
}

func (r Report) timeAxis() scale {
	end := 1.0
	if n := len(r.Seconds); n > 0 {
		end = r.Seconds[n-1].To
	}
	return exactly(end, short)
}

// latencyAxis is the same for all charts of latencies.
func (r Report) latencyAxis() scale {
	least, most := math.Inf(1), float64(max(r.FromSchedule.Max, r.SlowReaders.Max, r.FromSend.Max))
	for _, l := range []Latency{r.FromSend, r.FromSchedule, r.SlowReaders} {
		for _, p := range l.Points {
			least = min(least, float64(p.Latency))
		}
	}
	least = max(least, most/1e4, 0.001)
	return logarithmic(least, max(most, least), func(v float64) string { return Millis(v).String() })
}

// quantity writes large numbers with k and M.
func quantity(v float64) string {
	switch {
	case v >= 1e6:
		return short(v/1e6) + " M"
	case v >= 1e4:
		return short(v/1e3) + " k"
	}
	return short(v)
}
