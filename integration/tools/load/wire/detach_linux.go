//go:build !386

package wire

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// detached is a TCP socket that the runtime does not watch: that would cost a wake-up per
// delivery. A write waits at most closeTimeout for the server to take something.
type detached struct{ *os.File }

// detach returns the socket beneath a TCP connection, which is closed.
func detach(from socket) (s detached, fd int, err error) {
	tcp, ok := from.(*net.TCPConn)
	if !ok {
		return s, 0, errors.ErrUnsupported
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return s, 0, err
	}
	if controlErr := raw.Control(func(original uintptr) { fd, err = duplicate(int(original)) }); controlErr != nil {
		return s, 0, controlErr
	}
	if err != nil {
		return s, 0, err
	}
	tcp.Close()
	return detached{os.NewFile(uintptr(fd), "socket")}, fd, nil
}

// duplicate returns another, blocking descriptor of the socket: package os makes the
// runtime watch those that do not block.
func duplicate(original int) (fd int, err error) {
	if fd, err = syscall.Dup(original); err != nil {
		return 0, err
	}
	syscall.CloseOnExec(fd)
	timeout := syscall.NsecToTimeval(closeTimeout.Nanoseconds())
	if err = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &timeout); err == nil {
		err = syscall.SetNonblock(fd, false)
	}
	if err != nil {
		syscall.Close(fd)
	}
	return fd, err
}

// SetReadDeadline ends the stream at that time.
func (s detached) SetReadDeadline(moment time.Time) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	time.AfterFunc(time.Until(moment), func() {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) }) // it may be closed
	})
	return nil
}
