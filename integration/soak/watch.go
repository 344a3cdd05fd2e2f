package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"serverless-websocket/integration/figures"
	"serverless-websocket/integration/procstat"
)

const (
	// parts is into how many the run is divided. The first is for warming up; the
	// second and the last are compared.
	parts = 10
	// samplesEach is how many samples a part has.
	samplesEach = 10
	// tolerated is how many times as much CPU or memory as in the second part the
	// last one may need. Garbage collection alone moves both by some percent.
	tolerated = 1.2
)

// sample is what the service used in a stretch of the run.
type sample struct {
	cores  float64
	memory float64 // bytes, at its end
}

// watch collects samples.
type watch struct {
	samples []sample
}

// run takes samples for about as long as the sending takes, and tells of each
// part as it ends, until ctx ends.
func (w *watch) run(ctx context.Context, pid int, length time.Duration, progress io.Writer) error {
	every := length / (parts * samplesEach)
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
		now, err = procstat.Of(pid)
		if len(w.samples) < parts*samplesEach {
			w.samples = append(w.samples, sample{
				cores: (now.CPU - before.CPU).Seconds() / every.Seconds(), memory: float64(now.Memory),
			})
			if len(w.samples)%samplesEach == 0 {
				fmt.Fprintln(progress, w.part(len(w.samples)/samplesEach))
			}
		}
		before = now
	}
	return fmt.Errorf("watch the service: %w", err)
}

// part is a part of the run.
type part struct {
	number int
	cores  float64 // on average
	memory float64 // the median
}

func (w *watch) part(number int) part {
	samples := w.samples[(number-1)*samplesEach : number*samplesEach]
	p := part{number: number, memory: figures.Median(samples, func(s sample) float64 { return s.memory })}
	for _, s := range samples {
		p.cores += s.cores / samplesEach
	}
	return p
}

func (p part) String() string {
	return fmt.Sprintf("part %2d of %d: %.2f cores, %.1f MB", p.number, parts, p.cores, p.memory/1e6)
}

// judge compares the second part with the last one.
func (w *watch) judge(out io.Writer) error {
	if len(w.samples) < parts*samplesEach {
		return fmt.Errorf("%d samples of %d: the run ended early", len(w.samples), parts*samplesEach)
	}
	first, last := w.part(2), w.part(parts)
	fmt.Fprintf(out, "service: %v\n         %v\n", first, last)
	if last.cores > tolerated*first.cores || last.memory > tolerated*first.memory {
		return fmt.Errorf("the service needs more than %g times as much in the end", tolerated)
	}
	return nil
}
