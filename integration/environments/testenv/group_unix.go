//go:build unix && !linux

package testenv

import "syscall"

// stopped cannot tell here, and assumes that the signal has taken effect.
func stopped(int) bool { return true }

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
