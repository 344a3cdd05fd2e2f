package main

import (
	"math"
	"testing"
)

func TestShares(t *testing.T) {
	for _, c := range []struct {
		postsPerSecond, workers int
		want                    shares
	}{
		{10_000, 6, shares{perSecond: 2_250, retriesPerSecond: 500, parts: 3}},
		{10_000, 12, shares{perSecond: 900, retriesPerSecond: 500, parts: 9}},
		{1, 6, shares{perSecond: 0.225, retriesPerSecond: 0.05, parts: 3}},
		// Lambda gives each queue two workers, whatever the variable says.
		{10_000, 1, shares{perSecond: 2_250, retriesPerSecond: 500, parts: 3}},
	} {
		if got := sharesOf(c.postsPerSecond, c.workers); !got.equal(c.want) {
			t.Errorf("%d posts/s, %d workers: %+v, want %+v", c.postsPerSecond, c.workers, got, c.want)
		}
	}
}

// equal leaves room for rounding.
func (s shares) equal(other shares) bool {
	return math.Abs(s.perSecond-other.perSecond) < 1e-9 &&
		math.Abs(s.retriesPerSecond-other.retriesPerSecond) < 1e-9 && s.parts == other.parts
}

// Whatever the settings, all workers together stay within the stage's posts, and
// the parts of one job are as many as there are workers for them.
func TestSharesAddUp(t *testing.T) {
	for workers := fewestWorkers; workers <= 1_000; workers++ {
		s := sharesOf(10_000, workers)
		scanning := float64(workers - 2)
		if sum := scanning*s.perSecond + 2*s.retriesPerSecond; math.Abs(sum-10_000) > 1e-6 {
			t.Errorf("%d workers: %v posts/s", workers, sum)
		}
		if forParts := workers - 4; s.parts != forParts+1 {
			t.Errorf("%d workers: %d parts for %d workers and the one that splits", workers, s.parts, forParts)
		}
	}
}
