// Command bench compares ways to post to many connections, and measures what the
// fan-out engine adds to them. Everything runs on this machine, in one run.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"serverless-websocket/adapters/flags"
)

// sizes determine how much a run does.
type sizes struct {
	inFlight    int // posts at once
	rounds      int
	warmUp      warmUp        // of a contender before each measurement
	long        time.Duration // of a measurement
	messages    int           // that wait together
	connections int           // that they go to
	rows        int           // of the table that the worker passes over
	subscribers int           // among whom a room and a user are
	broadcasts  int           // to them; and a hundred times as many to the room and the user
	connects    int           // of clients with and without tokens
	accepts     int           // in memory and on disk
	listeners   int           // clients of the service, in memory and on disk
	bursts      int           // of broadcasts to them
	paced       int           // broadcasts to them
}

var (
	full = sizes{
		inFlight: 500, rounds: 5, warmUp: warmUp{10_000, time.Second, 2 * time.Second},
		long: time.Second, messages: 100, connections: 1000, rows: 1_000_000,
		subscribers: 100_000, broadcasts: 20, connects: 20_000, accepts: 50_000, listeners: 100, bursts: 21, paced: 200,
	}
	quick = sizes{inFlight: 20, rounds: 1, long: 10 * time.Millisecond, messages: 5, connections: 50, rows: 20_000, subscribers: 1000, broadcasts: 2, connects: 50, accepts: 128, listeners: 3, bursts: 1, paced: 3}
)

func main() {
	if playRole() {
		return
	}
	short := flag.Bool("quick", false, "run for a few seconds to check that it works; the results are meaningless")
	flags.MustParse("bench")
	size := full
	if *short {
		size = quick
	}
	if err := run(os.Stdout, os.Stderr, size); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything, shows progress and writes the report.
func run(report, progress io.Writer, size sizes) error {
	r := results{inFlight: size.inFlight}
	for _, http2 := range []bool{false, true} {
		posts, err := comparePosts(progress, size, http2)
		if err != nil {
			return err
		}
		r.posts = append(r.posts, posts)
	}
	var err error
	if r.coalescing, err = compareCoalescing(progress, size); err != nil {
		return err
	}
	if r.engine, err = measureEngine(progress, size); err != nil {
		return err
	}
	if r.channels, err = measureChannels(progress, size); err != nil {
		return err
	}
	if r.identity, err = measureIdentity(progress, size); err != nil {
		return err
	}
	if r.disk, err = measureDisk(progress, size); err != nil {
		return err
	}
	if r.durable, err = measureDurable(progress, size); err != nil {
		return err
	}
	r.write(report)
	return nil
}
