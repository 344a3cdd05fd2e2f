// Command chaos runs the standalone service under steady broadcasts while other clients
// misbehave in one way after another, and reports what the steady ones notice.
// Misbehaving clients write to sockets; they know only the service's address. Client and
// server share the machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"serverless-websocket/adapters/command"
	"serverless-websocket/adapters/flags"
	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/procstat"
)

// settings are the values of the flags.
type settings struct {
	service, generator string // programs
	clients, seconds   int
	rate               float64 // broadcasts a second
	only               string
}

func main() {
	var s settings
	flag.StringVar(&s.service, "service", "bin/standalone", "`program` of the standalone service")
	flag.StringVar(&s.generator, "load", "bin/load", "`program` of the load generator")
	flag.IntVar(&s.clients, "clients", 1000, "how many steady clients connect")
	flag.IntVar(&s.seconds, "seconds", 5, "how long each fault lasts")
	flag.Float64Var(&s.rate, "rate", 10, "broadcasts a second to the steady clients")
	flag.StringVar(&s.only, "only", "", "run only the faults whose `name` begins with this")
	flags.Require(flag.CommandLine, "clients", "2 or more", func(n int) bool { return n > 1 })
	flags.Require(flag.CommandLine, "seconds", "1 or more", flags.Positive[int])
	flags.Require(flag.CommandLine, "rate", "above 0", flags.Positive[float64])
	flags.MustParse("chaos")
	command.Main("chaos", func(ctx context.Context) error { return run(ctx, s, os.Stdout, os.Stderr) })
}

// run runs each fault against its own service and prints a table. It fails if the steady
// clients lost something under any of them.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "fault\tp50\tp99\tlost\tservice's peak memory\tattempts")
	failed := 0
	for _, f := range append([]fault{{name: "nothing"}}, faults...) {
		if !strings.HasPrefix(f.name, s.only) {
			continue
		}
		fmt.Fprintln(progress, f.name)
		o, err := s.measure(ctx, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Fprintf(table, "%s\t%v\t%v\t%d\t%d MB\t%d\n", f.name, o.report.FromSchedule.P50, o.report.FromSchedule.P99,
			o.lost(), o.memory>>20, o.attempts)
		if o.complaint != nil {
			fmt.Fprintln(progress, o.complaint)
			failed++
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d faults affected the steady clients", failed)
	}
	return nil
}

// outcome is what a fault did.
type outcome struct {
	report   report.Report
	memory   int64 // the service's peak, in bytes
	attempts int64 // of the misbehaving clients

	complaint error // of the load generator
}

// lost counts what the steady clients did not get.
func (o outcome) lost() int {
	return o.report.Deliveries.Lost + o.report.Deliveries.MissedCut + o.report.Broadcasts.Unanswered
}

func (s settings) measure(ctx context.Context, f fault) (o outcome, err error) {
	data, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(data)
	server, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) {
		return exec.Command(s.service, "-data", data,
			"-ws-addr", address, "-http-addr", "127.0.0.1:0", "-management-addr", "", "-log-level", "warn"), nil
	})
	if err != nil {
		return o, err
	}
	defer server.Stop()
	misbehaving, stop := context.WithCancel(ctx)
	defer stop()
	a := &attack{ctx: misbehaving, address: address}
	watched := make(chan int64)
	go func() { watched <- watchMemory(misbehaving, server.Pid()) }()
	if f.start != nil {
		f.start(a)
	}
	o.report, o.complaint = report.Run(ctx, s.generator, "-url", "ws://"+address, "-scenario", "steady",
		"-clients", fmt.Sprint(s.clients), "-rate", fmt.Sprint(s.rate), "-broadcasts", fmt.Sprint(int(s.rate*float64(s.seconds))))
	stop()
	a.clients.Wait()
	o.memory, o.attempts = <-watched, a.attempts.Load()
	return o, ctx.Err()
}

// watchMemory returns the peak memory of the process until ctx ended.
func watchMemory(ctx context.Context, pid int) (most int64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if usage, err := procstat.Of(pid); err == nil {
			most = max(most, usage.Memory)
		}
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
		}
	}
}
