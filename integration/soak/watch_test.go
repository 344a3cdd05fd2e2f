package main

import (
	"io"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name  string
		parts int
		at    func(part int) sample
		flat  bool
	}{
		{"flat", parts, func(int) sample { return sample{cores: 0.3, memory: 50e6} }, true},
		{"large at first", parts, func(n int) sample { return sample{cores: 1 / float64(n), memory: 50e6 / float64(n)} }, true},
		{"memory grows", parts, func(n int) sample { return sample{cores: 0.3, memory: 50e6 + 2e6*float64(n)} }, false},
		{"CPU grows", parts, func(n int) sample { return sample{cores: 0.3 + 0.02*float64(n), memory: 50e6} }, false},
		{"too short", parts - 1, func(int) sample { return sample{cores: 0.3, memory: 50e6} }, false},
	} {
		var w watch
		for n := range test.parts {
			for range samplesEach {
				w.samples = append(w.samples, test.at(n+1))
			}
		}
		if err := w.judge(io.Discard); (err == nil) != test.flat {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
