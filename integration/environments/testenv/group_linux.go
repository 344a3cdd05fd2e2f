package testenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ownGroup also makes the kernel end the process with the thread that started it. The Go
// runtime keeps its threads unless a goroutine ends locked to one, so in effect that is
// when the test process dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// stopped reports whether all threads of the process have stopped. A signal reaches one
// of them first, and on a busy machine the others continue until the kernel gets round to
// that one.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is good
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		// "pid (name) state …"; a name can contain anything.
		if end := bytes.LastIndex(stat, []byte(") ")); err != nil || end < 0 || stat[end+2] != 'T' {
			return false
		}
	}
	return len(threads) > 0
}
