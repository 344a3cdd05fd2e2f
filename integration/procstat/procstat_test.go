package procstat_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"serverless-websocket/integration/procstat"
	"serverless-websocket/integration/testenv"
)

func TestOf(t *testing.T) {
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "only Linux has this /proc")
	}
	before, err := procstat.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
	}
	after, err := procstat.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if grown := after.Memory - before.Memory; grown < 48<<20 {
		t.Errorf("%d bytes more after 64 MiB were written", grown)
	}
	if used := after.CPU - before.CPU; used <= 0 {
		t.Errorf("%v of CPU after a loop of 200 ms", used)
	}
	runtime.KeepAlive(held)
}

// The shell does nothing; its child works.
func TestOfCountsChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "only Linux has this /proc")
	}
	p := testenv.Start(t, exec.Command("sh", "-c", "sh -c 'while :; do :; done'; true"))
	testenv.Eventually(t, 20*time.Second, "CPU time of a child", func() bool {
		used, err := procstat.Of(p.Pid())
		return err == nil && used.CPU > 0
	})
}

func TestOfNoProcess(t *testing.T) {
	if _, err := procstat.Of(1 << 30); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
