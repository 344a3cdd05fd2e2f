package main

import (
	"fmt"
	"syscall"
)

// otherFiles is how many files are open besides sockets, with some to spare.
const otherFiles = 50

// raiseFileLimit makes room for the clients, as far as the system allows.
func raiseFileLimit(clients int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the open-file limit: %w", err)
	}
	need := uint64(clients + otherFiles)
	if limit.Cur >= need {
		return nil
	}
	if limit.Max < need {
		return fmt.Errorf("%d clients need %d open files, but the limit is %d: use -clients %d, or raise the limit (ulimit -Hn)",
			clients, need, limit.Max, max(0, int(limit.Max)-otherFiles))
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the open-file limit to %d: %w", limit.Max, err)
	}
	return nil
}
