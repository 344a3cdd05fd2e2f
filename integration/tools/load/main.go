// Command load puts load on the service, standalone or on AWS, and reports the results.
// Package tally defines loss, package report explains the numbers, and --help lists the
// flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"

	"serverless-websocket/adapters/command"
)

// Exit statuses.
const (
	exitOK     = 0
	exitLost   = 1
	exitUsage  = 2
	exitFailed = 3
)

func main() {
	ctx := command.UntilSignal(os.Interrupt, syscall.SIGTERM) // ends the sending
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run follows the arguments until it is done or ctx ends, reports, and returns the exit
// status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "load: %v; see --help\n", err)
		return exitUsage
	}
	fail := func(err error) int {
		fmt.Fprintf(stderr, "load: %v\n", err)
		return exitFailed
	}
	if err := errors.Join(raiseFileLimit(s.clients), checkProcess(s.pid)); err != nil {
		return fail(err)
	}
	out, err := openOutputs(s, stdout, stderr)
	if err != nil {
		return fail(err)
	}
	current := newRun(s)
	stopProgress := current.showProgress(stderr)
	failure := current.do(ctx)
	stopProgress()
	r := current.report(failure)
	if err := out.write(r); err != nil {
		return fail(err)
	}
	switch {
	case r.Deliveries.Lost > 0:
		return exitLost
	case failure != nil:
		return fail(failure)
	}
	return exitOK
}
