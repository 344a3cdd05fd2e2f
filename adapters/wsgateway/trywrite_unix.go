//go:build unix

package wsgateway

import (
	"errors"
	"net"
	"syscall"
)

// attempt is one write that does not wait. It lives in the conn so that a post
// allocates nothing.
type attempt struct {
	do    func(fd uintptr) bool // write, as a value
	frame []byte
	n     int
	err   error
}

func (a *attempt) write(fd uintptr) bool {
	a.n, a.err = syscall.Write(int(fd), a.frame)
	return true // done, whatever came of it: do not wait until the socket is writable
}

// rawConn returns the way to the socket beneath sock, or nil when there is none,
// as with TLS.
func rawConn(sock net.Conn) syscall.RawConn {
	s, ok := sock.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// tryWrite sends as much of the frame as the socket takes without waiting, and
// returns how much that was. The caller holds c.mu.
func (c *conn) tryWrite(frame []byte) (int, error) {
	if c.raw == nil {
		return 0, nil
	}
	a := &c.attempt
	a.frame = frame
	err := c.raw.Write(a.do)
	a.frame = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(a.err, syscall.EAGAIN), errors.Is(a.err, syscall.EINTR):
		return 0, nil
	}
	return max(a.n, 0), a.err
}
