// Command comparison compares the standalone service with other ways to broadcast to
// WebSocket clients on one machine, as far as they are installed: nginx with Nchan, and
// broadcasters of a few lines on the Go library centrifuge and on the npm package ws.
// Client and server share the machine, and the load generator is the same for all. Rounds
// alternate, and medians are printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"serverless-websocket/adapters/command"
	"serverless-websocket/adapters/flags"
)

// settings are the values of the flags.
type settings struct {
	service, generator          string // programs
	clients, broadcasts, rounds int
	rate                        float64 // broadcasts a second
}

func main() {
	var s settings
	flag.StringVar(&s.service, "service", "bin/standalone", "`program` of the standalone service")
	flag.StringVar(&s.generator, "load", "bin/load", "`program` of the load generator")
	flag.IntVar(&s.clients, "clients", 5000, "how many clients connect")
	flag.IntVar(&s.broadcasts, "broadcasts", 100, "how many broadcasts of 100 bytes each run sends")
	flag.Float64Var(&s.rate, "rate", 10, "broadcasts a second of the paced runs")
	flag.IntVar(&s.rounds, "rounds", 3, "how many times each server is measured")
	for _, name := range []string{"clients", "broadcasts", "rounds"} {
		flags.Require(flag.CommandLine, name, "1 or more", flags.Positive[int])
	}
	flags.Require(flag.CommandLine, "rate", "above 0", flags.Positive[float64])
	flags.MustParse("comparison")
	command.Main("comparison", func(ctx context.Context) error { return run(ctx, s, os.Stdout, os.Stderr) })
}

// run measures all contenders in turn, shows progress and prints the table.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	dir, err := os.MkdirTemp("", "comparison-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	contenders := installed(s, dir, progress)
	rounds := make([][]round, len(contenders))
	for n := range s.rounds {
		for i, c := range contenders {
			fmt.Fprintf(progress, "round %d of %d: %s\n", n+1, s.rounds, c.name)
			r, err := measure(ctx, s, c, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rounds[i] = append(rounds[i], r)
		}
	}
	write(out, s, contenders, rounds)
	return nil
}

// installed returns the installed contenders, the service as it runs by default first.
func installed(s settings, dir string, progress io.Writer) []contender {
	contenders := []contender{service(s.service), inMemory(s.service)}
	for _, other := range []contender{nchan, centrifuge, ws} {
		if err := other.missing(dir); err != nil {
			fmt.Fprintf(progress, "leaving out %s: %v\n", other.name, err)
			continue
		}
		contenders = append(contenders, other)
	}
	return contenders
}
