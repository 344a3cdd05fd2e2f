package main

import (
	"io"
	"testing"
	"time"

	"serverless-websocket/integration/tools/load/report"
)

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples int
		at      func(part int) sample
		flat    bool
	}{
		{"flat", 100, func(int) sample { return sample{cores: 0.3, memory: 50e6} }, true},
		{"fewer samples", 93, func(int) sample { return sample{cores: 0.3, memory: 50e6} }, true},
		{"large at first", 100, func(n int) sample { return sample{cores: 1 / float64(n), memory: 50e6 / float64(n)} }, true},
		{"memory grows", 100, func(n int) sample { return sample{cores: 0.3, memory: 50e6 + 1e6*float64(n)} }, false},
		{"CPU grows", 100, func(n int) sample { return sample{cores: 0.3 + 0.02*float64(n), memory: 50e6} }, false},
		{"too short", 29, func(int) sample { return sample{cores: 0.3, memory: 50e6} }, false},
	} {
		var w watch
		for n := range test.samples {
			w.samples = append(w.samples, test.at(n/10+1))
		}
		if err := w.judge(io.Discard); (err == nil) != test.flat {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestClean(t *testing.T) {
	s := settings{clients: 200, length: 110 * time.Second} // a thousand reconnects
	good := report.Report{Connections: report.Connections{Reconnects: 900}}
	if err := s.clean(good); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*report.Report){
		"twice":         func(r *report.Report) { r.Deliveries.Duplicated = 1 },
		"out of order":  func(r *report.Report) { r.Deliveries.OutOfOrder = 1 },
		"few came back": func(r *report.Report) { r.Connections.Reconnects = 400 },
		"refused":       func(r *report.Report) { r.Connections.Refused = map[string]int{"503": 1} },
	} {
		bad := good
		spoil(&bad)
		if s.clean(bad) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCleanResumes(t *testing.T) {
	for _, test := range []struct {
		cuts, resumes int
		good          bool
	}{{40, 40, true}, {40, 39, true}, {40, 19, false}, {0, 0, false}} {
		err := cleanResumes(report.Report{Resume: &report.Resume{Cuts: test.cuts, Resumes: test.resumes}})
		if (err == nil) != test.good {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
