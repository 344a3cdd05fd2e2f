package blackbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// TestMakeRun is the beginning of the README, in a fresh copy of the repository. Messages
// are in ./data, and there after a restart. A second service beside the first one says why
// it cannot start.
func TestMakeRun(t *testing.T) {
	root := testenv.CopyRepository(t)
	first, tg := startMakeRun(t, root)
	c := dial(t, tg)
	start := c.resume(nil)["everyone"].Position
	a := c.broadcast(`"before"`)
	c.wantMessage(a.ID)
	data, err := os.Stat(filepath.Join(root, "data"))
	if err != nil || data.Mode().Perm() != 0o700 {
		t.Errorf("data is %v, %v", data, err)
	}
	second := testenv.Start(t, makeRun(t, root))
	if code := second.Wait(t, patience); code != 2 || !strings.Contains(second.Output(), root+"/data is in use by another process; ") ||
		!strings.Contains(second.Output(), `make run ARGS="-data=''"`) {
		t.Errorf("the second ends with %d:\n%s", code, second.Output())
	}
	if err := first.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	first.Wait(t, patience)
	_, tg = startMakeRun(t, root)
	got := dial(t, tg).resume(positions{"everyone": start})["everyone"]
	if got.Recovered == nil || !*got.Recovered || len(got.Messages) != 1 || got.Messages[0].ID != a.ID {
		t.Errorf("after a restart: %+v", got)
	}
}

// makeRun is `make run` as in the README, on free ports.
func makeRun(t *testing.T, root string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("make", "run", "ARGS=-ws-addr 127.0.0.1:0 -http-addr 127.0.0.1:0 -management-addr 127.0.0.1:0")
	cmd.Dir, cmd.Env = root, command(t).Env
	return cmd
}

func startMakeRun(t *testing.T, root string) (*testenv.Process, *target) {
	t.Helper()
	p := testenv.Start(t, makeRun(t, root))
	testenv.Eventually(t, 5*patience, "the service is built and prints its addresses", func() bool {
		return strings.Contains(p.Output(), "Try it:") || (&standalone{process: p}).ended()
	})
	if got, want := printed(p.Output(), "Data"), filepath.Join(root, "data"); got != want {
		t.Fatalf("data is in %q, want %q:\n%s", got, want, p.Output())
	}
	return p, &target{webSocketURL: printed(p.Output(), "WebSocket")}
}

// Without history, or in memory alone, the service writes no file.
func TestNothingOnDisk(t *testing.T) {
	for _, flags := range [][]string{{inMemory}, {"-history-days", "0"}} {
		cmd := command(t, append(flags, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "")...)
		s := launch(t, cmd)
		c := dial(t, s.target)
		c.wantMessage(c.broadcast(`1`).ID)
		if got := printed(s.process.Output(), "Data"); got != "in memory" {
			t.Errorf("%v: data is in %q", flags, got)
		}
		if files, err := os.ReadDir(cmd.Dir); err != nil || len(files) > 0 {
			t.Errorf("%v: files %v, %v", flags, files, err)
		}
	}
}
