// Command standalone runs the whole service in one process: the gateway, the
// handlers, the queue and the stores, with nothing else to install.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"serverless-websocket/adapters/command"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// A reader of the log or of standard output that dies must not end the service.
	signal.Ignore(syscall.SIGPIPE)
	raiseHeapFloor()
	ctx := command.UntilSignal(stopSignals()...) // begins the graceful stop
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// stopSignals are those that begin a graceful stop. One that the parent has had
// ignored, as nohup does with SIGHUP, stays so.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run serves until ctx ends and returns the exit status.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	settings, err := parse(args, environ, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "standalone: %v; see --help\n", err)
		return exitUsage
	case settings.version:
		fmt.Fprintln(stdout, "standalone", version())
		return exitOK
	case settings.health:
		return health(settings, stdout, stderr)
	}
	log, bounded := newLogger(settings, stderr)
	defer bounded.Close(logTimeout)
	stderr = bounded
	service, err := newService(settings, log)
	if err == nil {
		log.Info("started", "version", version(), "stage", settings.stage)
		service.tellFound()
		settings.warnOfLimits(log)
		settings.warnOfOpenness(log)
	}
	for _, stray := range strayVariables(environ) {
		log.Warn(stray) // it may be why there is an error
	}
	if err != nil {
		fmt.Fprintf(stderr, "standalone: %v\n", err)
		return exitFailed
	}
	service.announce(stdout, settings)
	if err := service.serve(ctx); err != nil {
		log.Error("not stopped gracefully", "error", err)
		return exitFailed
	}
	return exitOK
}

// health returns the exit status of a health check.
func health(s settings, stdout, stderr io.Writer) int {
	if err := checkHealth(s.httpAddr); err != nil {
		fmt.Fprintf(stderr, "standalone: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(stdout, "healthy")
	return exitOK
}
