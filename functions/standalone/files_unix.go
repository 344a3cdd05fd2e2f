//go:build unix

package main

import "syscall"

// fileLimit is how many files this process can open. The runtime has raised the soft
// limit to the hard one.
func fileLimit() (limit int, known bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil || r.Cur > 1<<30 {
		return 0, false
	}
	return int(r.Cur), true
}
