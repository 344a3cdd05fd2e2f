package procstat_test

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/integration/tools/procstat"
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
	var after procstat.Usage
	testenv.Eventually(t, time.Minute, "CPU time of this process", func() bool {
		for spin := 0; spin < 10_000_000; spin++ {
		}
		after, err = procstat.Of(os.Getpid())
		return err != nil || after.CPU > before.CPU
	})
	if err != nil {
		t.Fatal(err)
	}
	if grown := after.Memory - before.Memory; grown < 48<<20 {
		t.Errorf("%d bytes more after 64 MiB were written", grown)
	}
	runtime.KeepAlive(held)
}

// The shell does nothing; its child works.
func TestOfCountsChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "only Linux has this /proc")
	}
	p := testenv.Start(t, exec.Command("sh", "-c", "sh -c 'while :; do :; done'; true"))
	testenv.Eventually(t, time.Minute, "CPU time of a child", func() bool {
		used, err := procstat.Of(p.Pid())
		return err == nil && used.CPU > 0
	})
}

func TestOfNoProcess(t *testing.T) {
	if _, err := procstat.Of(1 << 30); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
