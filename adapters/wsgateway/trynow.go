package wsgateway

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// noDescriptor is the descriptor of a socket that has none, as with TLS, or that is
// closed.
const noDescriptor = -1

// descriptorOf returns sock's file descriptor. It is valid until sock is closed, which
// a conn does only under its mutex. Writing through sock instead makes a post about
// 4% slower.
func descriptorOf(sock net.Conn) int {
	if own, ok := sock.(interface{ descriptor() int }); ok {
		return own.descriptor()
	}
	descriptor := noDescriptor
	if s, ok := sock.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { descriptor = int(fd) }) // fails on a closed socket, as the first read will
		}
	}
	return descriptor
}

// tryWrite sends as much of the frame as the socket accepts without blocking, and
// returns the number of bytes. The caller holds c.mu.
func (c *conn) tryWrite(frame []byte) (int, error) {
	if c.descriptor == noDescriptor {
		return 0, nil
	}
	n, err := sendNow(c.descriptor, frame)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}

// tryRead reads what is available, without blocking. If nothing is, it returns 0 and
// no error.
func (c *conn) tryRead(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.descriptor == noDescriptor {
		return 0, nil
	}
	n, err := receiveNow(c.descriptor, p)
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
		return 0, nil
	case err == nil && n == 0:
		return 0, io.EOF
	}
	return max(n, 0), err
}
