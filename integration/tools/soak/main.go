// Command soak runs the standalone service under steady broadcasts while half of the
// clients keep leaving and returning, and a few more are cut and resume. It reports whether
// the service's CPU and memory stay flat. It needs Linux's /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/command"
	"serverless-websocket/adapters/flags"
	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/integration/tools/load/report"
)

// Clients that come and go: their share, and how long they stay and are away.
const (
	share = 0.5
	stay  = 10 * time.Second
	away  = time.Second
)

// Clients that resume: one more for so many others, and as much more rarely than the others
// they broadcast.
const resuming = 10

// settings are the values of the flags.
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
	flag.IntVar(&s.clients, "clients", 2000,
		"how many clients connect; half of them stay about ten seconds each time, and a tenth more are cut and resume")
	flag.Float64Var(&s.rate, "rate", 10, "broadcasts a second")
	flag.DurationVar(&s.length, "length", 10*time.Minute, "how long to send")
	flags.Require(flag.CommandLine, "clients", "2 or more", func(n int) bool { return n >= 2 })
	flags.Require(flag.CommandLine, "rate", "above 0", flags.Positive[float64])
	flags.Require(flag.CommandLine, "length", "10s or more", func(d time.Duration) bool { return d >= 10*time.Second })
	flags.MustParse("soak")
	command.Main("soak", func(ctx context.Context) error { return run(ctx, s, os.Stdout, os.Stderr) })
}

// run fails if something was lost, or if the service needed more at the end than at the
// beginning.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	data, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	server, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) {
		return exec.Command(s.service, "-data", data,
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
	var r, resumed report.Report
	group.Go(func() (err error) {
		defer done()
		r, resumed, err = s.load(ctx, "ws://"+address)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d broadcasts, %d deliveries, %d reconnects. %s\n",
		r.Broadcasts.Accepted, r.Deliveries.Delivered, r.Connections.Reconnects, r.Verdict())
	fmt.Fprintf(out, "%d cuts, %d resumes, %d deliveries recovered. %s\n",
		resumed.Resume.Cuts, resumed.Resume.Resumes, resumed.Resume.Recovered, resumed.Verdict())
	return errors.Join(s.clean(r), cleanResumes(resumed), w.judge(out))
}

// load runs two load generators at once.
func (s settings) load(ctx context.Context, url string) (churned, resumed report.Report, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		churned, err = report.Run(ctx, s.generator, append(s.sending(url, 1), "-scenario", "churn",
			"-churn-share", fmt.Sprint(share), "-churn-stay", stay.String(), "-churn-away", away.String())...)
		return err
	})
	group.Go(func() (err error) {
		resumed, err = report.Run(ctx, s.generator, append(s.sending(url, resuming), "-scenario", "resume")...)
		return err
	})
	return churned, resumed, group.Wait()
}

// sending are arguments of a load generator with one of so many of the clients and
// broadcasts.
func (s settings) sending(url string, of int) []string {
	rate := s.rate / float64(of)
	return []string{
		"-url", url, "-clients", fmt.Sprint(max(2, s.clients/of)),
		"-rate", fmt.Sprint(rate), "-broadcasts", fmt.Sprint(max(1, int(rate*s.length.Seconds()))),
	}
}

// cleanResumes fails if clients were not cut, or few resumed: one that is cut again before
// the answer has not. That nothing was lost or handed on twice is known by now.
func cleanResumes(r report.Report) error {
	if r.Resume.Cuts == 0 || r.Resume.Resumes < r.Resume.Cuts/2 {
		return fmt.Errorf("%d cuts and %d resumes", r.Resume.Cuts, r.Resume.Resumes)
	}
	return nil
}

// clean fails if the clients could not come and go as planned, or got something they
// should not have.
func (s settings) clean(r report.Report) error {
	expected := share * float64(s.clients) * s.length.Seconds() / (stay + away).Seconds()
	switch d, c := r.Deliveries, r.Connections; {
	case d.Duplicated > 0 || d.OutOfOrder > 0:
		return fmt.Errorf("%d deliveries were duplicated, %d out of order", d.Duplicated, d.OutOfOrder)
	case c.Refusals() > 0 || float64(c.Reconnects) < expected/2:
		return fmt.Errorf("%d reconnects (about %.0f expected), %d refused", c.Reconnects, expected, c.Refusals())
	}
	return nil
}
