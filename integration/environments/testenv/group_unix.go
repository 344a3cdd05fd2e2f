//go:build unix && !linux

package testenv

import "syscall"

// stopped cannot tell here, and takes the signal for the deed.
func stopped(int) bool { return true }

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
