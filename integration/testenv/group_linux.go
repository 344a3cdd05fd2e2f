package testenv

import "syscall"

// ownGroup also has the kernel end the process with the thread that started it.
// The Go runtime keeps its threads unless a goroutine ends locked to one, so in
// effect that is when the test process dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
