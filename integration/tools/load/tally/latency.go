package tally

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept from a microsecond to an hour, to three digits.
const (
	longest = int64(time.Hour / time.Microsecond)
	digits  = 3
)

// latencies are histograms in microseconds.
type latencies struct {
	fromSend, fromSchedule *hdrhistogram.Histogram
	slow                   *hdrhistogram.Histogram // of slow readers, from the schedule
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, digits) }

func newLatencies() latencies {
	return latencies{fromSend: newHistogram(), fromSchedule: newHistogram(), slow: newHistogram()}
}

// record clamps values outside the range.
func record(h *hdrhistogram.Histogram, microseconds int64) {
	_ = h.RecordValue(min(max(microseconds, 0), longest)) // fails for nothing in this range
}

// merge adds other to l.
func (l latencies) merge(other latencies) {
	merge(l.fromSend, other.fromSend)
	merge(l.fromSchedule, other.fromSchedule)
	merge(l.slow, other.slow)
}

func merge(to, from *hdrhistogram.Histogram) {
	if from.TotalCount() > 0 {
		to.Merge(from) // drops nothing: they have the same range
	}
}

func (l latencies) reset() {
	for _, h := range []*hdrhistogram.Histogram{l.fromSend, l.fromSchedule, l.slow} {
		if h.TotalCount() > 0 {
			h.Reset()
		}
	}
}

// Quantile is a point of a distribution: a percentage of deliveries and the time they
// took at most.
type Quantile struct {
	Percent float64
	Latency time.Duration
}

// Latency is a distribution. Without deliveries, all of it is zero.
type Latency struct {
	Count                    int
	Mean                     time.Duration
	P50, P90, P99, P999, Max time.Duration
	Curve                    []Quantile // ascending, the last one is 100 %
}

func summarise(h *hdrhistogram.Histogram) Latency {
	at := func(percent float64) time.Duration { return quantile(h, percent) }
	return Latency{
		Count: int(h.TotalCount()),
		Mean:  time.Duration(h.Mean() * float64(time.Microsecond)),
		P50:   at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: at(100),
		Curve: curve(h),
	}
}

func quantile(h *hdrhistogram.Histogram, percent float64) time.Duration {
	return time.Duration(h.ValueAtPercentile(percent)) * time.Microsecond
}

// curve has ten points per halving of the distance to 100 %, as far as the number of
// deliveries can resolve them.
func curve(h *hdrhistogram.Histogram) []Quantile {
	if h.TotalCount() == 0 {
		return nil
	}
	const ticks = 10
	var points []Quantile
	for left := 100.0; left*float64(h.TotalCount()) >= 100; left /= 2 {
		for i := range ticks {
			percent := 100 - left + left/2*float64(i)/ticks
			points = append(points, Quantile{percent, quantile(h, percent)})
		}
	}
	return append(points, Quantile{100, quantile(h, 100)})
}

// Durations is a distribution of times that are not those of deliveries. The zero value is
// empty.
type Durations struct{ histogram *hdrhistogram.Histogram }

// Add records a duration.
func (d *Durations) Add(microseconds int64) {
	if d.histogram == nil {
		d.histogram = newHistogram()
	}
	record(d.histogram, microseconds)
}

// Summary returns the distribution so far.
func (d *Durations) Summary() Latency {
	if d.histogram == nil {
		return Latency{}
	}
	return summarise(d.histogram)
}
