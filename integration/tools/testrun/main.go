// Command testrun runs go test and shows its output, a page of each failure, and at the
// end what was skipped and why, over all runs:
//
//	testrun [-log FILE] ARGUMENTS [-- ARGUMENTS]…
//
// Each group of arguments is one run of go test. All of them run, even if one fails. The
// exit code is 0 if everything has passed, 130 after an interrupt and 1 otherwise. If the
// environment variable CI is set, a skipped test is a failure.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"serverless-websocket/integration/environments/testenv"
)

const (
	exitFailed      = 1
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args, full := os.Args[1:], io.Discard
	if len(args) > 1 && args[0] == "-log" {
		file, err := create(args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, "testrun:", err)
			os.Exit(exitFailed)
		}
		args, full = args[2:], file
	}
	os.Exit(run(ctx, ".", args, newReport(os.Stdout, full)))
}

func create(file string) (io.Writer, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	return os.Create(file)
}

// run returns the exit code.
func run(ctx context.Context, dir string, args []string, r *report) int {
	failed := false
	for _, group := range groups(args) {
		if err := goTest(ctx, dir, group, r); err != nil {
			failed = true
			r.runFails(err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.summary()
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case failed, r.skipsFail():
		return exitFailed
	}
	return 0
}

// groups splits the arguments at each "--".
func groups(args []string) (all [][]string) {
	for {
		end := slices.Index(args, "--")
		if end < 0 {
			return append(all, args)
		}
		all = append(all, args[:end])
		args = args[end+1:]
	}
}

// goTest makes one run of go test, which ends with everything it has started when ctx
// does. It returns nil if all tests have passed.
func goTest(ctx context.Context, dir string, args []string, r *report) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = dir
	events := &lines{each: r.line}
	cmd.Stdout, cmd.Stderr = events, &lines{each: r.stderr}
	process, err := testenv.Run(cmd)
	if err != nil {
		return err
	}
	select {
	case <-process.Exited():
	case <-ctx.Done():
		process.Stop()
		return errors.New("interrupted")
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("go test: %v", cmd.ProcessState)
	}
	return nil
}

// lines calls each with every line written, including its line end.
type lines struct {
	each func(line []byte)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		end := slices.Index(l.rest, '\n') + 1
		if end == 0 {
			return len(p), nil
		}
		l.each(l.rest[:end])
		l.rest = l.rest[end:]
	}
}
