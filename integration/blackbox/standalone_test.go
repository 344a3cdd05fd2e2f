package blackbox

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

func TestStandalone(t *testing.T) {
	suite(t, func(t *testing.T, s settings) *target {
		var args []string
		if s.writeTimeout != 0 {
			args = append(args, "-write-timeout", s.writeTimeout.String())
		}
		return startStandalone(t, args...).target
	})
}

// standalone is the service as one process.
type standalone struct {
	*target
	process *testenv.Process
}

// buildStandalone builds the program once for all tests, with the race detector if they
// use it. TestMain removes it.
var buildStandalone = sync.OnceValues(func() (string, error) {
	program := filepath.Join(buildDir(), "standalone")
	args := []string{"build", "-o", program}
	if raceEnabled {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./functions/standalone")...)
	build.Dir = testenv.Root()
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// command returns the standalone program, not started, with args and nothing of the test's
// own environment that configures it. It runs in a directory of its own, where its data is
// by default.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := buildStandalone()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"GORACE=atexit_sleep_ms=0"} // by default a race build takes a second to exit
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SWS_") && !strings.HasPrefix(variable, "MAKELEVEL=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	return cmd
}

// startStandalone starts the program on free ports. After the test it must stop cleanly.
func startStandalone(t *testing.T, args ...string) *standalone {
	t.Helper()
	args = append([]string{"-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "127.0.0.1:0"}, args...)
	return launch(t, command(t, args...))
}

func launch(t *testing.T, cmd *exec.Cmd) *standalone {
	t.Helper()
	logs := new(logs)
	cmd.Stderr = logs
	s := &standalone{process: testenv.Start(t, cmd)}
	t.Cleanup(func() { s.stopCleanly(t) })
	testenv.Eventually(t, patience, "the addresses are printed, or the program ends", func() bool {
		return strings.Contains(s.process.Output(), "Try it:") || s.ended()
	})
	out := s.process.Output()
	s.target = &target{
		webSocketURL:       printed(out, "WebSocket"),
		httpURL:            printed(out, "HTTP"),
		managementEndpoint: strings.TrimSuffix(printed(out, "@connections"), "/@connections"),
		logs:               logs,
		exact:              true,
		challenge:          http.StatusUnauthorized,
	}
	if s.ended() || s.webSocketURL == "" || s.httpURL == "" {
		t.Fatalf("not started:\n%s\n%s", out, head(logs.unstructured()))
	}
	return s
}

// printed returns the text after the label in the program's first output.
func printed(out, label string) string {
	for line := range strings.Lines(out) {
		if value, ok := strings.CutPrefix(line, label+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (s *standalone) ended() bool {
	select {
	case <-s.process.Exited():
		return true
	default:
		return false
	}
}

func (s *standalone) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// stopCleanly stops the program, unless the test has, and wants exit status 0. The
// program must never have written anything but log lines.
func (s *standalone) stopCleanly(t *testing.T) {
	if !s.ended() {
		s.signal(t, syscall.SIGTERM)
		if code := s.process.Wait(t, patience); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
	}
	if s.target == nil {
		return
	}
	if text := s.logs.unstructured(); text != "" {
		t.Errorf("stderr has more than log lines:\n%s", head(text))
	}
	if text := lines(s.logs.find(unusual)); t.Failed() && text != "" {
		t.Logf("unusual in the log, the end:\n%s", testenv.Tail(text))
	}
}

// unusual picks the part of the log that a failed test should show.
func unusual(e entry) bool {
	return e.text("level") != "INFO" || e.text("msg") == "disconnected" && e.number("code") != 1001
}
