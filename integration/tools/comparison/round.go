package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/integration/tools/load/report"
)

// round is one measurement of a contender: broadcasts at a fixed rate, as fast as
// they are accepted, and at the fixed rate again while one more client floods.
type round struct {
	paced, burst, flooded report.Report
}

func measure(ctx context.Context, s settings, c contender, dir string) (r round, err error) {
	server, address, err := testenv.Serve(ctx, func(address string) (*exec.Cmd, error) { return c.command(dir, address) })
	if err != nil {
		return r, err
	}
	defer server.Stop()
	target := []string{
		"-url", "ws://" + address + c.path, "-pid", fmt.Sprint(server.Pid()), "-protocol", string(c.protocol),
		"-clients", fmt.Sprint(s.clients), "-size", "100", "-connect-rate", "0",
	}
	if r.paced, err = s.load(ctx, target, "-scenario", "steady", "-broadcasts", fmt.Sprint(s.broadcasts), "-rate", fmt.Sprint(s.rate)); err != nil {
		return r, err
	}
	if r.burst, err = s.load(ctx, target, "-scenario", "burst", "-broadcasts", fmt.Sprint(s.broadcasts)); err != nil {
		return r, err
	}
	// Three times as many, or the p99 would be that of the worst broadcast. This run comes
	// last: not every server survives it.
	r.flooded, err = s.load(ctx, target, "-scenario", "flood", "-broadcasts", fmt.Sprint(3*s.broadcasts), "-rate", fmt.Sprint(s.rate), "-drain", "5s")
	if exit := new(exec.ExitError); errors.As(err, &exit) && r.flooded.Broadcasts.Sent > 0 {
		err = nil // the report has what did not arrive
	}
	return r, err
}

// load runs the load generator.
func (s settings) load(ctx context.Context, target []string, scenario ...string) (report.Report, error) {
	return report.Run(ctx, s.generator, slices.Concat(target, scenario)...)
}
