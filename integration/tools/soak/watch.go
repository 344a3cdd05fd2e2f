package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"serverless-websocket/integration/tools/procstat"
	"serverless-websocket/integration/tools/stats"
)

const (
	// samplesInAll is the approximate number of samples.
	samplesInAll = 100
	// parts is the number of parts of a run. The first is for warming up; the second and
	// the last are compared.
	parts = 10
	// moreMemory and moreCPU limit what the last part can need, as a multiple of the
	// second. Memory grew by 2 % in ten minutes on an idle machine; CPU depends on other
	// load on the machine.
	moreMemory, moreCPU = 1.1, 1.3
)

// sample is what the service used in a section of the run.
type sample struct {
	cores  float64
	memory float64 // bytes, at its end
}

// watch collects samples.
type watch struct {
	samples []sample
}

// run takes samples, and prints one in ten, until ctx ends.
func (w *watch) run(ctx context.Context, pid int, length time.Duration, progress io.Writer) error {
	every := length / samplesInAll
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	before, err := procstat.Of(pid)
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var now procstat.Usage
		if now, err = procstat.Of(pid); err != nil {
			break
		}
		s := sample{cores: (now.CPU - before.CPU).Seconds() / every.Seconds(), memory: float64(now.Memory)}
		w.samples = append(w.samples, s)
		if n := len(w.samples); n%(samplesInAll/10) == 0 {
			fmt.Fprintf(progress, "%v: %v\n", time.Duration(n)*every, part(s))
		}
		before = now
	}
	return fmt.Errorf("watch the service: %w", err)
}

// part is a part of the run: average cores, median memory.
type part sample

func (w *watch) part(number int) part {
	size := len(w.samples) / parts
	samples := w.samples[(number-1)*size : number*size]
	p := part{memory: stats.Median(samples, func(s sample) float64 { return s.memory })}
	for _, s := range samples {
		p.cores += s.cores / float64(size)
	}
	return p
}

func (p part) String() string { return fmt.Sprintf("%.2f cores, %.1f MB", p.cores, p.memory/1e6) }

// judge compares the second part with the last one.
func (w *watch) judge(out io.Writer) error {
	if len(w.samples) < 3*parts {
		return fmt.Errorf("too short: %d samples", len(w.samples))
	}
	early, late := w.part(2), w.part(parts)
	fmt.Fprintf(out, "The service in the second tenth: %v; in the last: %v\n", early, late)
	if late.cores > moreCPU*early.cores || late.memory > moreMemory*early.memory {
		return fmt.Errorf("the service needs more at the end: over %g times the CPU or %g times the memory", moreCPU, moreMemory)
	}
	return nil
}
