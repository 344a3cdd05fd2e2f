package broadcast

import (
	"testing"
	"time"
)

func TestSegmentsFollowFromWhatPassesSaw(t *testing.T) {
	type pass struct {
		connections, served int
		took                time.Duration
	}
	for _, test := range []struct {
		name   string
		passes []pass
		want   int
	}{
		{"nothing is known", nil, 1},
		{"too small to tell its speed", []pass{{999, 999, time.Hour}}, 1},
		{"fits", []pass{{5_000, 5_000, 5 * time.Second}}, 1},
		{"does not fit", []pass{{5_001, 5_000, 5 * time.Second}}, 2},
		{"a segment tells of the whole", []pass{{100_000, 10_000, 10 * time.Second}}, 20},
		{"the latest counts", []pass{{100_000, 10_000, 10 * time.Second}, {2_000, 2_000, time.Second}}, 1},
		{"a small pass keeps the speed", []pass{{50_000, 50_000, 50 * time.Second}, {500, 500, time.Millisecond}}, 1},
		{"bounded", []pass{{100_000_000, 1_000, time.Minute}}, 100},
	} {
		var p pace
		for _, s := range test.passes {
			p.learn(s.connections, s.served, s.took)
		}
		if got := p.segments(5 * time.Second); got != test.want {
			t.Errorf("%s: %d segments, want %d", test.name, got, test.want)
		}
	}
}
