package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"

	"serverless-websocket/integration/load/report"
	"serverless-websocket/integration/testenv"
)

// round is one measurement of a contender: broadcasts at a fixed rate, and then
// as fast as they are accepted.
type round struct {
	paced, burst report.Report
}

func measure(ctx context.Context, s settings, c contender, dir string) (r round, err error) {
	server, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) { return c.command(dir, address) })
	if err != nil {
		return r, err
	}
	defer server.Stop()
	target := []string{"-url", "ws://" + address + c.path, "-pid", fmt.Sprint(server.Pid())}
	if c.echoes {
		target = append(target, "-protocol", "echo")
	}
	if r.paced, err = s.load(ctx, target, "-scenario", "steady", "-rate", fmt.Sprint(s.rate)); err != nil {
		return r, err
	}
	r.burst, err = s.load(ctx, target, "-scenario", "burst")
	return r, err
}

// load is what the load generator is to do.
func (s settings) load(ctx context.Context, target []string, scenario ...string) (report.Report, error) {
	common := []string{
		"-clients", fmt.Sprint(s.clients), "-broadcasts", fmt.Sprint(s.broadcasts), "-size", "100", "-connect-rate", "0",
	}
	return report.Run(ctx, s.generator, slices.Concat(target, common, scenario)...)
}
