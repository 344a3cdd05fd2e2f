package main

import (
	"math"
	"time"
)

// leastInBin is how many broadcasts each bin of the series has. With fewer, one
// that comes a little earlier or later is a spike or a gap in what is steady.
const leastInBin = 5

// longestBin is for rates at which nobody waits for five broadcasts.
const longestBin = time.Hour

// bins are the intervals in which what happens is counted for the charts and the
// CSV: a second, or a tenth in runs that are over before there are ten, but long
// enough for leastInBin broadcasts. Where there is a rate, each is a multiple of
// the time between two broadcasts, and ends halfway between two, so that all
// have the same number of them.
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
