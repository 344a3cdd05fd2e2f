package main

import (
	"strconv"
	"testing"
	"time"

	"serverless-websocket/integration/tools/load/report"
)

// The ramp ends with the first rate that the service cannot handle. Here it handles 40 a
// second.
func TestRamp(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, _ int) { p.pause(25 * time.Millisecond) }},
		"-scenario", "ramp", "-clients", "2", "-rate", "10", "-ramp-factor", "2", "-ramp-step", "2s", "-p99-bound", "200ms")
	var rates []float64
	for _, s := range r.Ramp.Steps {
		rates = append(rates, s.Rate)
		if s.Held != (s.Rate <= 40) {
			t.Errorf("%+v", s)
		}
	}
	if len(rates) != 4 || r.Ramp.LastRate != 40 {
		t.Errorf("rates %v, the last that held %v", rates, r.Ramp.LastRate)
	}
	if r.Deliveries.Lost != 0 {
		t.Errorf("%d lost: the drain does not wait for the last step", r.Deliveries.Lost)
	}
}

// A step takes its full time even if there is nothing more to send.
func TestRampOfRareBroadcasts(t *testing.T) {
	r := virtually(t, &pipes{handle: func(*pipes, int) {}},
		"-scenario", "ramp", "-clients", "2", "-rate", "0.1", "-ramp-step", "4s", "-ramp-steps", "3", "-p99-bound", "1s")
	if len(r.Ramp.Steps) != 3 || !r.Ramp.Steps[2].Held {
		t.Errorf("%+v", r.Ramp)
	}
	if last := r.Seconds[len(r.Seconds)-1].To; last < 12 {
		t.Errorf("three steps took %v s", last)
	}
}

// After Ctrl-C in its first step, a ramp has no result.
func TestRampInterrupted(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 5 {
			p.stop()
		}
	}}, "-scenario", "ramp", "-clients", "2")
	if !r.Interrupted || len(r.Ramp.Steps) != 0 || r.Failure != "" {
		t.Errorf("%v, %q, %+v", r.Interrupted, r.Failure, r.Ramp)
	}
}

// The latency of a step is that of its own broadcasts.
func TestRampThatAlwaysHolds(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n < 10 {
			p.pause(60 * time.Millisecond)
		} else {
			p.pause(20 * time.Millisecond)
		}
	}}, "-scenario", "ramp", "-clients", "2", "-ramp-step", "1s", "-ramp-steps", "3")
	if len(r.Ramp.Steps) != 3 || r.Ramp.LastRate != 22.5 {
		t.Fatalf("%+v", r.Ramp)
	}
	for i, want := range []report.Millis{60, 20, 20} {
		near(t, "p99", r.Ramp.Steps[i].P99, want, 1)
	}
}

// A missing delivery counts as exceeding the bound.
func TestRampCountsWhatIsMissing(t *testing.T) {
	r := virtually(t, &pipes{handle: func(*pipes, int) {}, deaf: func(n int) bool { return n == 20 }},
		"-scenario", "ramp", "-clients", "2", "-ramp-step", "1s", "-drain", "1s")
	if n := len(r.Ramp.Steps); n != 2 || r.Ramp.Steps[1].Held || r.Ramp.Steps[1].P99 != 0 || r.Deliveries.Lost != 1 {
		t.Errorf("%+v, %d lost", r.Ramp, r.Deliveries.Lost)
	}
}

// A ramp looks for the rate that the service cannot handle. Failures at that rate are
// reported, and do not fail the ramp.
func TestRampMayBeRejected(t *testing.T) {
	t.Parallel()
	r := load(t, t.Context(), serve(t, faults{reply: func(n int) string {
		if n < 10 {
			return accepted(strconv.Itoa(n))
		}
		return `{"error":{"code":"unavailable","ref":"` + strconv.Itoa(n) + `"}}`
	}}).url, "-scenario", "ramp", "-clients", "3", "-rate", "50", "-ramp-step", "200ms", "-p99-bound", "5s")
	if r.status != exitOK || r.Ramp.LastRate != 50 || len(r.Ramp.Steps) != 2 || r.Broadcasts.Rejections() != 15 {
		t.Errorf("status %d, %q, %+v, %+v", r.status, r.Failure, r.Ramp, r.Broadcasts)
	}
}

// The ramp ends before a step would exceed the number of broadcasts that can be kept.
func TestRampEndsAtTheLimit(t *testing.T) {
	next := rising(settings{rate: 1e6, rampFactor: 1000, rampStep: 2 * time.Second, rampSteps: 20})
	if s, ok := next(nil); !ok || s.count != 2_000_000 {
		t.Fatalf("%+v", s)
	}
	if s, ok := next(&verdict{took: true}); ok {
		t.Errorf("then %+v", s)
	}
}
