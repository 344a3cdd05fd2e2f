// Command soak runs the standalone service under steady broadcasts while half of
// the clients leave and return all the time, and tells whether its CPU and memory
// stay what they are. Linux alone has what it reads.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/testenv"
)

// settings are what the flags say.
type settings struct {
	service, generator string // programs
	clients            int
	rate               float64 // broadcasts a second
	length             time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.service, "service", "bin/standalone", "`program` of the standalone service")
	flag.StringVar(&s.generator, "load", "bin/load", "`program` of the load generator")
	flag.IntVar(&s.clients, "clients", 2000, "how many clients connect; half of them stay about ten seconds each time")
	flag.Float64Var(&s.rate, "rate", 5, "broadcasts a second")
	flag.DurationVar(&s.length, "length", 10*time.Minute, "how long to send")
	flag.Parse()
	if flag.NArg() > 0 || s.clients < 2 || s.rate <= 0 || s.length < 10*time.Second {
		fmt.Fprintln(os.Stderr, "soak: at least 2 clients, a rate above 0, and 10 s; see -help")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run fails when something was lost, or when the service needed more in the end
// than in the beginning.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	server, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) {
		return exec.Command(s.service,
			"-ws-addr", address, "-http-addr", "127.0.0.1:0", "-management-addr", "", "-log-level", "warn"), nil
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	var w watch
	group, ctx := errgroup.WithContext(ctx)
	watching, done := context.WithCancel(ctx)
	group.Go(func() error { return w.run(watching, server.Pid(), s.length, progress) })
	group.Go(func() error {
		defer done()
		return s.load(ctx, "ws://"+address, out)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return w.judge(out)
}

// load runs the load generator, which fails when something is lost.
func (s settings) load(ctx context.Context, url string, out io.Writer) error {
	generator := exec.CommandContext(ctx, s.generator, "-url", url, "-scenario", "churn",
		"-clients", fmt.Sprint(s.clients), "-churn-share", "0.5", "-churn-stay", "10s",
		"-rate", fmt.Sprint(s.rate), "-broadcasts", fmt.Sprint(int(s.rate*s.length.Seconds())))
	generator.Stdout = out
	generator.Cancel = func() error { return generator.Process.Signal(os.Interrupt) }
	generator.WaitDelay = time.Minute
	if err := generator.Run(); err != nil {
		return fmt.Errorf("the load generator: %w", err)
	}
	return nil
}
