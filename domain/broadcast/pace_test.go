package broadcast

import (
	"testing"
	"time"
)

func TestAPassTakesWhatEarlierOnesTook(t *testing.T) {
	type scan struct {
		connections int
		partly      bool
		served      int
		took        time.Duration
	}
	for _, test := range []struct {
		name  string
		most  float64
		scans []scan
		want  time.Duration
		known bool
	}{
		{"nothing is known", 1000, nil, 0, false},
		{"too small to tell its speed", 0, []scan{{connections: 999, served: 999, took: time.Hour}}, 0, true},
		{"the speed is known beforehand", 100, []scan{{connections: 500, served: 500, took: time.Hour}}, 5 * time.Second, true},
		{"a segment tells of the whole", 0,
			[]scan{{connections: 100_000, served: 10_000, took: 10 * time.Second}}, 100 * time.Second, true},
		{"the latest counts", 0, []scan{
			{connections: 100_000, served: 10_000, took: 10 * time.Second},
			{connections: 2_000, served: 2_000, took: time.Second}}, time.Second, true},
		{"a small pass keeps the speed", 0, []scan{
			{connections: 50_000, served: 50_000, took: 50 * time.Second},
			{connections: 500, served: 500, took: time.Millisecond}}, 500 * time.Millisecond, true},
		{"no faster than can be", 1000,
			[]scan{{connections: 5_000, served: 5_000, took: time.Second}}, 5 * time.Second, true},
		{"a part tells the least", 1000,
			[]scan{{connections: 7_000, partly: true, served: 10}}, 7 * time.Second, true},
		{"a part does not make it smaller", 1000,
			[]scan{{connections: 9_000, served: 10}, {connections: 7_000, partly: true, served: 10}}, 9 * time.Second, true},
		{"a part of nothing tells nothing", 1000, []scan{{partly: true}}, 0, false},
	} {
		p := pace{most: test.most}
		for _, s := range test.scans {
			p.learn(s.connections, !s.partly, s.served, s.took)
		}
		if got, known := p.passTakes(); got != test.want || known != test.known {
			t.Errorf("%s: %v, known: %v; want %v, %v", test.name, got, known, test.want, test.known)
		}
	}
}
