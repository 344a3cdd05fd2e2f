//go:build unix

package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleVariable selects which program a process of the test binary plays.
const roleVariable = "COMMAND_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "until signal":
		untilSignal()
	case "tool":
		Main("tool", tool)
	case "tool that is done":
		Main("tool", func(context.Context) error { return nil })
	default:
		os.Exit(m.Run())
	}
}

func untilSignal() {
	ctx := UntilSignal(os.Interrupt, syscall.SIGTERM)
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("stopping")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the second signal, or the test is over
}

// tool ends on a line of input, once it has been asked to stop.
func tool(ctx context.Context) error {
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("stopping")
	bufio.NewScanner(os.Stdin).Scan()
	return errors.New("broken off")
}

// process is a program that was started in a role. It ends with its input.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	in     io.Writer
	out    *bufio.Scanner
	stderr strings.Builder
}

func start(t *testing.T, role string) *process {
	t.Helper()
	p := &process{T: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return p
}

func (p *process) signal(s os.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// signalUntilItEnds sends the signal again and again.
func (p *process) signalUntilItEnds(s os.Signal) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.cmd.Wait() // the state says more
	}()
	for {
		_ = p.cmd.Process.Signal(s) // fails when it has ended
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func (p *process) want(line string) {
	p.Helper()
	if !p.out.Scan() || p.out.Text() != line {
		p.Fatalf("it wrote %q, want %q (%v)", p.out.Text(), line, p.out.Err())
	}
}

// A signal that arrives before the first is handled counts as the same, so the second is
// sent until the process ends.
func TestSecondSignalEndsTheProcess(t *testing.T) {
	for _, second := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		p := start(t, "until signal")
		p.want("ready")
		p.signal(os.Interrupt)
		p.want("stopping")
		p.signalUntilItEnds(second)
		if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != second {
			t.Errorf("ended with %v, want %v", p.cmd.ProcessState, second)
		}
	}
}

func TestToolEndsWhenItIsReady(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		p := start(t, "tool")
		p.want("ready")
		p.signal(s)
		p.want("stopping")
		p.signal(s)
		if _, err := fmt.Fprintln(p.in, "end"); err != nil {
			t.Fatal(err)
		}
		if _ = p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != 1 || p.stderr.String() != "tool: broken off\n" {
			t.Errorf("ended with %v after %q", p.cmd.ProcessState, p.stderr.String())
		}
	}
}

func TestToolThatIsDone(t *testing.T) {
	p := start(t, "tool that is done")
	if err := p.cmd.Wait(); err != nil || p.stderr.Len() > 0 {
		t.Errorf("%v, %q", err, p.stderr.String())
	}
}
