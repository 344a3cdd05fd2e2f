package domain_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

// TestHashes: the segments of a total follow each other without a gap.
func TestHashes(t *testing.T) {
	for _, total := range []int{0, 1, 2, 3, 7, 64, 1000, math.MaxInt32} {
		after := uint64(0)
		for i := range min(max(total, 1), 2000) {
			first, last := (domain.Segment{Index: i, Total: total}).Hashes()
			if first != after || last < first {
				t.Fatalf("segment %d of %d is %x to %x after %x", i, total, first, last, after)
			}
			after = last + 1
		}
		if total <= 2000 && after != 0 {
			t.Errorf("the last segment of %d ends at %x", total, after-1)
		}
	}
}

// Each user's place is in exactly one segment of each total, also with an id behind it.
func TestASegmentHasItsPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := domain.Place(rapid.String().Draw(t, "user")) + rapid.String().Draw(t, "id")
		total := rapid.IntRange(1, 50).Draw(t, "total")
		found := 0
		for i := range total {
			if first, last := (domain.Segment{Index: i, Total: total}).Places(); first <= at && at <= last {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%q is in %d of %d segments", at, found, total)
		}
	})
}
