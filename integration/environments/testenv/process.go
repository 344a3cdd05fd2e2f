package testenv

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// stopGrace is how long a process can take to end after SIGTERM.
	stopGrace = 5 * time.Second
	// pausesWithin is how long the kernel can take to stop a process.
	pausesWithin = time.Minute
	// A failed test shows this much of its output.
	shownLines, shownBytes = 30, 8 << 10
)

// Process is a running child process, the leader of its own process group. Its methods
// are safe for concurrent use.
type Process struct {
	cmd    *exec.Cmd
	output output
	exited chan struct{}
}

// Start starts the command and ends it, with everything it started, when the test is
// over. The output is captured, unless cmd directs it elsewhere, and shown if the test
// has failed.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Run(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("output of %s (%v):\n%s", cmd.Path, cmd.ProcessState, Tail(p.Output()))
		}
	})
	return p
}

// Run is Start for a process that outlives the test: the caller calls Stop. On
// Linux the process ends with the test process even if that is killed.
func Run(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.output
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.output
	}
	cmd.SysProcAttr = ownGroup()
	// A grandchild that holds the output open must not block Wait forever.
	cmd.WaitDelay = stopGrace
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // ProcessState reports it
	}()
	return p, nil
}

// Pid returns the id of the process, which is also that of its process group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended and its output is complete.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Output returns what the process has written so far.
func (p *Process) Output() string { return p.output.String() }

// Signal sends a signal only to the process, not to its group. The error is
// os.ErrProcessDone if it has ended.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// Pause freezes the process; all of its threads have stopped when Pause returns, unless
// the process has ended. Only Linux shows when that is.
func (p *Process) Pause() {
	if p.Signal(syscall.SIGSTOP) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), pausesWithin)
	defer cancel()
	_ = Poll(ctx, func() bool { return stopped(p.Pid()) || p.ended() }) // the caller sees the outcome
}

func (p *Process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Wait waits until the process has ended and returns its exit code, or -1 if a signal
// ended it. It fails the test if that takes longer than the timeout.
func (p *Process) Wait(t testing.TB, timeout time.Duration) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(timeout):
		t.Fatalf("%s still runs after %v", p.cmd.Path, timeout)
		return 0
	}
}

// Stop ends the process group, with SIGTERM and if necessary SIGKILL, and returns when
// the process has ended. It may be called more than once.
func (p *Process) Stop() {
	select {
	case <-p.exited:
	default:
		p.signalGroup(syscall.SIGTERM)
		p.signalGroup(syscall.SIGCONT) // otherwise a paused one does not get it
		select {
		case <-p.exited:
		case <-time.After(stopGrace):
		}
	}
	p.signalGroup(syscall.SIGKILL)
	<-p.exited
}

func (p *Process) signalGroup(sig syscall.Signal) {
	_ = syscall.Kill(-p.Pid(), sig) // fails when all of the group has ended
}

// Tail returns the end of a program's output, enough to see why a test has failed: 30
// lines, and at most 8 KB.
func Tail(output string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(output, "\n"), "\n")
	end := strings.Join(lines[max(0, len(lines)-shownLines):], "")
	end = end[max(0, len(end)-shownBytes):]
	if left := len(strings.TrimSuffix(output, "\n")) - len(end); left > 0 {
		return fmt.Sprintf("… %d bytes before\n%s", left, end)
	}
	return end
}

// output is a buffer that can be read while a process writes to it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
