// Package command handles signals and exit for the commands of this module.
package command

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal returns a context that ends with the first of these signals and then stops
// catching them: a second one ends the process at once.
func UntilSignal(signals ...os.Signal) context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Main is the main function of a tool that starts other programs. The context of run ends
// with an interrupt or SIGTERM; further signals do nothing, so that run can end what it
// has started. An error is printed to standard error after the tool's name, and the exit
// status is 1.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
