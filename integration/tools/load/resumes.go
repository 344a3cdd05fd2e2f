package main

import (
	"maps"
	"sync"

	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/load/tally"
)

// noHistory is the code of a service that keeps no messages.
const noHistory = "no_history"

// resumes counts what scenario resume does. The zero value has counted nothing.
type resumes struct {
	mu        sync.Mutex
	cuts      int
	gaps      int             // resumes because messages were missing
	lost      int             // gaps that the service told of
	waits     int             // times that the service was busy, and said when to come again
	refusals  map[string]int  // by code
	latencies tally.Durations // of resumes after a reconnect
}

func (r *resumes) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cuts++
}

func (r *resumes) gap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps++
}

func (r *resumes) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost++
}

func (r *resumes) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits++
}

func (r *resumes) refuse(code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	count(&r.refusals, code)
}

// resumed records how long it took, in microseconds.
func (r *resumes) resumed(took int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latencies.Add(took)
}

// refused returns how often the service refused, for other reasons than that it keeps no
// history, and whether that was one.
func (r *resumes) refused() (n int, noneKept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for code, times := range r.refusals {
		if code == noHistory {
			noneKept = true
		} else {
			n += times
		}
	}
	return n, noneKept
}

func (r *resumes) report(recovered int) *report.Resume {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := latency(r.latencies.Summary())
	return &report.Resume{
		Cuts: r.cuts, Resumes: took.Count, Recovered: recovered, ToldLost: r.lost, Gaps: r.gaps, Waits: r.waits,
		Refused: maps.Clone(r.refusals), Latency: took,
	}
}
