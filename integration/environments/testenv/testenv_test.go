package testenv_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/testenv"
)

// patience is how long a test waits for an expected event.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRootIsTheModule(t *testing.T) {
	module := strings.TrimSuffix(reflect.TypeFor[testenv.Process]().PkgPath(), "/integration/environments/testenv")
	mod, err := os.ReadFile(filepath.Join(testenv.Root(), "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module "+module+"\n") {
		t.Fatalf("%s is not the module's root: %v", testenv.Root(), err)
	}
}

func TestFreePortCanBeListenedOn(t *testing.T) {
	port, err := testenv.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// outcome stands in for a test that a helper ends.
type outcome struct {
	testing.TB
	failed, skipped bool
}

func (o *outcome) Helper()               {}
func (o *outcome) Fatalf(string, ...any) { o.failed = true; runtime.Goexit() }
func (o *outcome) Skipf(string, ...any)  { o.skipped = true; runtime.Goexit() }

// of returns the outcome of a test with this body.
func of(body func(t testing.TB)) outcome {
	var o outcome
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(&o)
	}()
	<-done
	return o
}

func TestSkipFailsUnderCI(t *testing.T) {
	for ci, want := range map[string]outcome{
		"":     {skipped: true},
		"true": {failed: true},
	} {
		t.Run("CI="+ci, func(t *testing.T) {
			t.Setenv("CI", ci)
			got := of(func(t testing.TB) { testenv.Skip(t, "no %s", "java") })
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestMissingProgramsAreSkipped(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, look := range map[string]func(testing.TB){
		"Java": func(t testing.TB) { testenv.Java(t) },
		"Node": func(t testing.TB) { testenv.Node(t) },
		"npm":  func(t testing.TB) { testenv.NodeBin(t, "wscat") },
	} {
		for ci, want := range map[string]outcome{"": {skipped: true}, "true": {failed: true}} {
			t.Setenv("CI", ci)
			if got := of(look); got != want {
				t.Errorf("%s, CI=%q: got %+v, want %+v", name, ci, got, want)
			}
		}
	}
}

func TestEventually(t *testing.T) {
	looks := 0
	testenv.Eventually(t, patience, "a third look", func() bool { looks++; return looks == 3 })

	never := func() bool { return false }
	got := of(func(t testing.TB) { testenv.Eventually(t, time.Millisecond, "the impossible", never) })
	if !got.failed {
		t.Error("a condition that never holds did not fail the test")
	}
}

func TestPollLooksOnceMoreAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	err := testenv.Poll(ctx, func() bool { looks++; cancel(); return looks == 2 })
	if err != nil {
		t.Errorf("a condition that held when the time was up: %v", err)
	}
	if err := testenv.Poll(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestProcessExitCodeAndOutput(t *testing.T) {
	p := testenv.Start(t, shell("echo out; echo err >&2; exit 3"))
	if code := p.Wait(t, patience); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if got := p.Output(); got != "out\nerr\n" {
		t.Errorf("output %q", got)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: %v, want os.ErrProcessDone", err)
	}
}

func TestProcessCanHandleASignal(t *testing.T) {
	p := testenv.Start(t, shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"))
	testenv.Eventually(t, patience, "the trap is set", func() bool { return p.Output() != "" })
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(t, patience); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
}

// A paused process does nothing more once Pause has returned.
func TestPausedProcessMakesNoProgress(t *testing.T) {
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "only Linux shows whether a process has stopped")
	}
	p := testenv.Start(t, shell("while :; do echo on; done"))
	testenv.Eventually(t, patience, "it runs", func() bool { return p.Output() != "" })
	p.Pause()
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	if err != nil || !strings.Contains(string(state), ") T ") {
		t.Errorf("its state is %q, %v; want T", state, err)
	}
	p.Stop()
	p.Pause() // does nothing
}

func TestTail(t *testing.T) {
	var numbered []string
	for i := range 40 {
		numbered = append(numbered, fmt.Sprintf("line %d\n", i))
	}
	for name, row := range map[string]struct{ output, want string }{
		"nothing":        {"", ""},
		"little":         {"a\nb\n", "a\nb"},
		"many lines":     {strings.Join(numbered, ""), "… 70 bytes before\n" + strings.TrimSuffix(strings.Join(numbered[10:], ""), "\n")},
		"one long line":  {strings.Repeat("x", 10<<10), "… 2048 bytes before\n" + strings.Repeat("x", 8<<10)},
		"no end of line": {"a\nb", "a\nb"},
	} {
		if got := testenv.Tail(row.output); got != row.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestProcessThatDoesNotEndInTime(t *testing.T) {
	p := testenv.Start(t, shell("sleep 60"))
	got := of(func(t testing.TB) { p.Wait(t, time.Millisecond) })
	if !got.failed {
		t.Error("Wait did not fail the test")
	}
}

func TestStopEndsGrandchildren(t *testing.T) {
	p := testenv.Start(t, shell("sleep 60 & echo $!; wait"))
	testenv.Eventually(t, patience, "the grandchild runs", func() bool { return p.Output() != "" })
	grandchild, err := strconv.Atoi(strings.TrimSpace(p.Output()))
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	p.Stop()
	// The orphan stays a zombie until its new parent has reaped it.
	testenv.Eventually(t, patience, "the grandchild has ended", func() bool {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(grandchild)).Output()
		return err != nil || strings.HasPrefix(string(state), "Z")
	})
}

func TestStartReportsAMissingProgram(t *testing.T) {
	if _, err := testenv.Run(exec.Command(filepath.Join(t.TempDir(), "nothing"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func shell(script string) *exec.Cmd { return exec.Command("sh", "-c", script) }

func TestServe(t *testing.T) {
	_, _, err := testenv.Serve(t.Context(), func(string) (*exec.Cmd, error) {
		return exec.Command("sh", "-c", "echo no port for me; exit 1"), nil
	})
	if err == nil || !strings.Contains(err.Error(), "no port for me") {
		t.Errorf("a program that ends: %v", err)
	}
}

func TestLater(t *testing.T) {
	before := time.Now()
	after := testenv.Later(before, time.Hour)
	if after.Sub(before) != 0 || after.Round(0).Sub(before.Round(0)) != time.Hour {
		t.Fatal("package time has changed: this no longer makes times whose two readings differ")
	}
}
