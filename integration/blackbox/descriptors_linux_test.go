package blackbox

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// TestNoDescriptors lets the operating system refuse every further descriptor to the
// service. Clients that are connected notice nothing, and one that comes meanwhile is
// served when there are descriptors again.
func TestNoDescriptors(t *testing.T) {
	s := startStandalone(t)
	there := dial(t, s.target)
	there.broadcast(`"before"`)
	pid := s.process.Pid()
	before := limitFiles(t, pid, lowestFree(pid))
	late := make(chan error, 1)
	go func() {
		c, err := tryDial(t, s.target)
		if err == nil {
			_, err = c.tryBroadcast(`"late"`)
		}
		late <- err
	}()
	s.logs.await(t, "no connection can be accepted", "level", "WARN")
	there.broadcast(`"meanwhile"`)
	if _, err := there.until(`"meanwhile"`); err != nil {
		t.Error(err)
	}
	limitFiles(t, pid, before)
	if err := <-late; err != nil {
		t.Error(err)
	}
	if _, err := there.until(`"late"`); err != nil {
		t.Error(err)
	}
	s.logs.await(t, "connections are accepted again", "level", "WARN")
}

// lowestFree returns the number that the process's next descriptor gets.
func lowestFree(pid int) (fd uint64) {
	for {
		if _, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", pid, fd)); err != nil {
			return fd
		}
		fd++
	}
}

// limitFiles changes how many files a process can open, and returns how many it could.
func limitFiles(t *testing.T, pid int, files uint64) (before uint64) {
	t.Helper()
	var old syscall.Rlimit
	if errno := prlimit(pid, nil, &old); errno != 0 {
		t.Fatal(errno)
	}
	limit := syscall.Rlimit{Cur: files, Max: old.Max}
	if errno := prlimit(pid, &limit, nil); errno != 0 {
		t.Fatal(errno)
	}
	return old.Cur
}

// prlimit is the system call, which package syscall has for the own process alone.
func prlimit(pid int, limit, old *syscall.Rlimit) syscall.Errno {
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(limit)), uintptr(unsafe.Pointer(old)), 0, 0)
	return errno
}
