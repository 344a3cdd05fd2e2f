package wsgateway

import (
	"os"
	"syscall"
	"unsafe"
)

// mostEvents is the maximum number of readable sockets per poll.
const mostEvents = 256

// epoll is an epoll descriptor. The runtime watches sockets too, but needs a goroutine for
// each. One that waits for an epoll waits through the runtime, and so occupies no thread.
// The system calls bypass the runtime, as that of sendNow does.
type epoll struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
}

func newEpoll() (*epoll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	_ = syscall.SetNonblock(fd, true) // cannot fail; so that the runtime can wait for it
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	return &epoll{file, raw, fd}, nil
}

// control adds a descriptor, changes what is reported of it, or removes it. It must not
// run while the epoll is closed.
func (e *epoll) control(operation, fd int, report uint32) error {
	event := syscall.EpollEvent{Events: report, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL,
		uintptr(e.fd), uintptr(operation), uintptr(fd), uintptr(unsafe.Pointer(&event)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// wait waits until there are events, and returns their number. It fails when the epoll is
// closed.
func (e *epoll) wait(events *[mostEvents]syscall.EpollEvent) (n int, err error) {
	err = e.raw.Read(func(fd uintptr) bool {
		ready, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(events)), mostEvents, 0, 0, 0)
		if errno == 0 { // otherwise a signal has interrupted it
			n = int(ready)
		}
		return n > 0
	})
	return n, err
}

func (e *epoll) close() { e.file.Close() }
