package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The broadcasts that are compared in memory and on disk.
const (
	burst = 500
	// pace is the time between two measurements of a paced broadcast.
	pace = 20 * time.Millisecond
)

// durableResults are medians of the service, built and over sockets, in memory and on disk.
type durableResults struct {
	clients       int
	bursts, paced pair
	sync          time.Duration // of a page that was appended to a file
}

// pair is a median in memory and on disk.
type pair struct{ memory, disk time.Duration }

// measureDurable takes turns, so that all meet the same machine and the same disk.
func measureDurable(progress io.Writer, size sizes) (r durableResults, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	program, err := buildStandalone(ctx, dir)
	if err != nil {
		return r, err
	}
	memory, err := startServer(ctx, program, size.listeners, "-data", "")
	if err != nil {
		return r, err
	}
	defer memory.stop()
	disk, err := startServer(ctx, program, size.listeners, "-data", filepath.Join(dir, "data"))
	if err != nil {
		return r, err
	}
	defer disk.stop()
	bursts, err := takeTurns(size.bursts, memory.broadcasts(ctx, burst), disk.broadcasts(ctx, burst))
	if err != nil {
		return r, err
	}
	paced, err := takeTurns(size.paced, memory.broadcasts(ctx, 1), disk.broadcasts(ctx, 1), syncOf(filepath.Join(dir, "page")))
	if err != nil {
		return r, err
	}
	r = durableResults{size.listeners, pair{bursts[0], bursts[1]}, pair{paced[0], paced[1]}, paced[2]}
	fmt.Fprintf(progress, "durable: a burst in %v in memory, %v on disk\n", r.bursts.memory, r.bursts.disk)
	return r, nil
}

// broadcasts measures a number of broadcasts.
func (s *server) broadcasts(ctx context.Context, messages int) func() (time.Duration, error) {
	return func() (time.Duration, error) { return s.broadcast(ctx, messages) }
}

// syncOf measures how long it takes to append a page to a file and to wait for the disk.
func syncOf(path string) func() (time.Duration, error) {
	page := make([]byte, os.Getpagesize())
	return func() (time.Duration, error) {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		_, err = file.Write(page)
		err = errors.Join(err, file.Sync())
		took := time.Since(start)
		return took, errors.Join(err, file.Close())
	}
}

// takeTurns returns the median of each measure, with a pause before each.
func takeTurns(times int, measures ...func() (time.Duration, error)) ([]time.Duration, error) {
	took := make([][]float64, len(measures))
	for range times {
		for i, measure := range measures {
			time.Sleep(pace)
			one, err := measure()
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], float64(one))
		}
	}
	medians := make([]time.Duration, len(measures))
	for i := range took {
		medians[i] = time.Duration(middle(took[i]))
	}
	return medians, nil
}

// slower is how many times as long the burst takes on disk.
func (r durableResults) slower() float64 { return float64(r.bursts.disk) / float64(r.bursts.memory) }

// syncs is how many syncs longer something takes on disk.
func (r durableResults) syncs(p pair) float64 { return float64(p.disk-p.memory) / float64(r.sync) }
