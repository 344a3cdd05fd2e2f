package tally

import (
	"slices"
	"time"
)

// Interval is what happened between two calls of Tick.
type Interval struct {
	From, To  int64
	Connected int // at its end
	Scheduled int // the other numbers are those of the interval alone
	Sent      int
	Accepted  int
	Rejected  int
	Delivered int
	Bytes     int
	// Of the deliveries in the interval, from the schedule, without slow readers.
	P50, P99, Max time.Duration
}

// mark is where the last interval ended.
type mark struct {
	set   bool
	at    int64
	sends SendCounts
	totals
}

// Tick ends an interval, and begins the next. The first only begins one.
func (t *Tally) Tick(at int64) {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	t.collect()
	now := mark{true, at, t.SendCounts(), t.totals()}
	if t.last.set {
		t.series = append(t.series, t.between(t.last, now))
	}
	t.last = now
	t.interval.reset()
}

func (t *Tally) between(from, to mark) Interval {
	h := t.interval.fromSchedule
	return Interval{
		From: from.at, To: to.at,
		Connected: to.connected,
		Scheduled: to.sends.Scheduled - from.sends.Scheduled,
		Sent:      to.sends.Sent - from.sends.Sent,
		Accepted:  to.sends.Accepted - from.sends.Accepted,
		Rejected:  to.sends.RejectedInAll() - from.sends.RejectedInAll(),
		Delivered: to.Delivered - from.Delivered,
		Bytes:     to.Bytes - from.Bytes,
		P50:       quantile(h, 50), P99: quantile(h, 99), Max: quantile(h, 100),
	}
}

// Series are the intervals so far.
func (t *Tally) Series() []Interval {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	return slices.Clone(t.series)
}

// LastInterval is the last completed interval, if any.
func (t *Tally) LastInterval() (Interval, bool) {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	if len(t.series) == 0 {
		return Interval{}, false
	}
	return t.series[len(t.series)-1], true
}

// Latencies are the distributions so far: from the moment of sending, from the
// schedule, and that of slow readers, from the schedule.
func (t *Tally) Latencies() (fromSend, fromSchedule, slow Latency) {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	t.collect()
	return summarise(t.total.fromSend), summarise(t.total.fromSchedule), summarise(t.total.slow)
}

// BeginStep forgets the deliveries that count for StepQuantile.
func (t *Tally) BeginStep() {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	t.collect()
	t.step.reset()
}

// StepQuantile is the latency, from the schedule, of deliveries since BeginStep. Missing
// deliveries count as slower than all others: ok is false if the quantile is one of them,
// or if there are no deliveries.
func (t *Tally) StepQuantile(percent float64, missing int) (latency time.Duration, ok bool) {
	t.collecting.Lock()
	defer t.collecting.Unlock()
	t.collect()
	h := t.step.fromSchedule
	if h.TotalCount() == 0 {
		return 0, false
	}
	percent *= float64(h.TotalCount()+int64(missing)) / float64(h.TotalCount())
	return quantile(h, min(percent, 100)), percent <= 100
}

// collect takes the latencies out of the shards. The caller holds collecting.
func (t *Tally) collect() {
	for _, h := range t.shards {
		h.mu.Lock()
		t.piece.merge(h.latencies)
		h.latencies.reset()
		h.mu.Unlock()
	}
	for _, to := range []latencies{t.total, t.interval, t.step} {
		to.merge(t.piece)
	}
	t.piece.reset()
}
