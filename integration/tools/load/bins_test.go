package main

import (
	"strings"
	"testing"
	"time"
)

// A steady rate looks steady: whatever the rate, each bin has the same number of
// broadcasts, at least five, and is a second or a tenth if that is enough.
func TestBinsOfASteadyRate(t *testing.T) {
	for args, want := range map[string]struct {
		sent    int
		seconds float64
	}{
		"-rate 0.5 -broadcasts 40":   {5, 10},
		"-rate 1 -broadcasts 60":     {5, 5},
		"-rate 3 -broadcasts 100":    {5, 5. / 3},
		"-rate 10 -broadcasts 50":    {5, 0.5},
		"-rate 10 -broadcasts 200":   {10, 1},
		"-rate 49.5 -broadcasts 990": {50, 50 / 49.5},
		"-rate 70 -broadcasts 350":   {7, 0.1},
		"-rate 200 -broadcasts 1000": {20, 0.1},
	} {
		r := virtually(t, &pipes{handle: func(*pipes, int) {}}, strings.Fields("-clients 3 "+args)...)
		whole := 0
		for _, b := range r.Seconds[1:] {
			if b.To > float64(r.Settings.Broadcasts-1)/r.Settings.Rate {
				break // it has less to send, or nothing
			}
			whole++
			if b.Sent != want.sent || b.Delivered != 3*want.sent || b.Length() < want.seconds*0.999 || b.Length() > want.seconds*1.001 {
				t.Errorf("%s: %d sent, %d delivered in %v s; want %d in %v", args, b.Sent, b.Delivered, b.Length(), want.sent, want.seconds)
			}
		}
		if whole < 5 {
			t.Errorf("%s: %d whole bins", args, whole)
		}
	}
}

func TestOtherBins(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"-scenario burst":                            100 * time.Millisecond,
		"-scenario ramp -rate 10":                    time.Second,
		"-scenario ramp -rate 2":                     2500 * time.Millisecond,
		"-scenario churn -rate 0.000001":             longestBin,
		"-scenario churn -rate 1e-300 -broadcasts 1": longestBin,
	} {
		s, err := parse(strings.Fields(args), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		if first, others := s.bins(); others != want || first <= 0 || first > others {
			t.Errorf("%s: %v, then %v, want %v", args, first, others, want)
		}
	}
}
