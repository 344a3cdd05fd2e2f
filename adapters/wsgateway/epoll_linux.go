package wsgateway

import (
	"syscall"
	"unsafe"
)

const (
	// mostEvents is the maximum number of readable sockets per poll.
	mostEvents = 256
	// readableOnce reports a socket once, when there is something to read or it is broken.
	readableOnce = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT
)

// epoll is an epoll descriptor. Calls that do not block bypass the runtime, as sendNow does.
type epoll int

func newEpoll() (epoll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return epoll(fd), err
}

// control adds a descriptor, changes what is reported of it, or removes it.
func (e epoll) control(operation, fd int, report uint32) error {
	event := syscall.EpollEvent{Events: report, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL,
		uintptr(e), uintptr(operation), uintptr(fd), uintptr(unsafe.Pointer(&event)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// poll returns the number of events that are there.
func (e epoll) poll(events *[mostEvents]syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(e), uintptr(unsafe.Pointer(events)), mostEvents, 0, 0, 0)
	if errno != 0 {
		return 0 // interrupted by a signal
	}
	return int(n)
}

// wait waits until there are events, and returns their number. Meanwhile it occupies a
// thread.
func (e epoll) wait(events *[mostEvents]syscall.EpollEvent) int {
	const forever = -1
	n := e.poll(events)
	for n == 0 {
		n, _ = syscall.EpollWait(int(e), events[:], forever) // fails only if interrupted by a signal
		n = max(n, 0)
	}
	return n
}

func (e epoll) close() { syscall.Close(int(e)) }
