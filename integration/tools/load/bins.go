package main

import (
	"math"
	"time"
)

// leastInBin is the minimum number of broadcasts in each bin of the series. With fewer,
// one that arrives a little earlier or later makes a spike or a gap in a steady rate.
const leastInBin = 5

// longestBin is for rates too slow to wait for five broadcasts.
const longestBin = time.Hour

// bins are the counting intervals of the charts and the CSV: a second, or a tenth of a
// second in runs shorter than ten seconds, but long enough for leastInBin broadcasts.
// With a fixed rate, each is a multiple of the time between two broadcasts and ends
// halfway between two, so that all have the same number of broadcasts.
func (s *settings) bins() (first, others time.Duration) {
	base := time.Second
	if s.scenario == burst.name || s.scenario != ramp.name && float64(s.broadcasts)/s.rate < 10 {
		base = time.Second / 10
	}
	if s.scenario == burst.name {
		return base, base
	}
	n := math.Ceil(max(leastInBin, base.Seconds()*s.rate))
	return seconds((n - 0.5) / s.rate), seconds(n / s.rate)
}

func seconds(x float64) time.Duration {
	return time.Duration(min(x, longestBin.Seconds()) * float64(time.Second))
}
