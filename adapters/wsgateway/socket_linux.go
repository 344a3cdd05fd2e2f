//go:build !386

package wsgateway

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// socket is a TCP socket that the runtime does not watch before a goroutine has to wait for
// it, which for most never happens: those of package net cost a quarter of the time of a
// handshake. It is a net.Conn, with the same guarantees.
type socket struct {
	fd     int
	remote netip.AddrPort // without its zone
	scope  uint32         // the number of that; 0 for none

	mu              sync.Mutex
	file            *os.File // watched by the runtime; nil until a goroutine has to wait
	readBy, writeBy time.Time
	closed          bool
}

// descriptor is valid until the socket is closed.
func (s *socket) descriptor() int { return s.fd }

// watched returns the socket as a file, for which goroutines can wait.
func (s *socket) watched() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	if s.file == nil {
		s.file = os.NewFile(uintptr(s.fd), "socket")
		_ = s.file.SetReadDeadline(s.readBy) // fails if the runtime cannot watch it, as the read will
		_ = s.file.SetWriteDeadline(s.writeBy)
	}
	return s.file, nil
}

func (s *socket) Read(p []byte) (int, error) {
	file, err := s.watched()
	if err != nil {
		return 0, err
	}
	n, err := file.Read(p)
	return n, netError("read", err)
}

// netError returns an error of a file as package net would.
func netError(operation string, err error) error {
	if path, ok := err.(*os.PathError); ok {
		err = path.Err
	}
	switch err {
	case nil, io.EOF:
		return err
	case os.ErrClosed:
		err = net.ErrClosed
	}
	return &net.OpError{Op: operation, Net: "tcp", Err: err}
}

func (s *socket) Write(p []byte) (int, error) {
	n, err := s.writeBuffers(&net.Buffers{p})
	return int(n), err
}

// writeBuffers writes them all with few system calls, and removes what it has written.
func (s *socket) writeBuffers(buffers *net.Buffers) (written int64, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for len(*buffers) > 0 && failed == nil {
			var n int
			n, failed = writevNow(int(fd), *buffers)
			consume(buffers, n)
			written += int64(n)
		}
		if failed == syscall.EAGAIN {
			failed = nil
			return false
		}
		return true
	})
	if err == nil {
		err = os.NewSyscallError("writev", failed)
	}
	return written, netError("write", err)
}

// consume removes the first n bytes.
func consume(buffers *net.Buffers, n int) {
	for len(*buffers) > 0 && n >= len((*buffers)[0]) {
		n -= len((*buffers)[0])
		*buffers = (*buffers)[1:]
	}
	if n > 0 {
		(*buffers)[0] = (*buffers)[0][n:]
	}
}

// writevNow is writev(2) for a non-blocking socket.
func writevNow(fd int, buffers [][]byte) (int, error) {
	var vectors [flushFrames]syscall.Iovec
	count := min(len(buffers), len(vectors))
	for i, b := range buffers[:count] {
		vectors[i].Base = unsafe.SliceData(b)
		vectors[i].SetLen(len(b))
	}
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&vectors)), uintptr(count))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

// SyscallConn implements syscall.Conn.
func (s *socket) SyscallConn() (syscall.RawConn, error) {
	file, err := s.watched()
	if err != nil {
		return nil, err
	}
	return file.SyscallConn()
}

// Close makes the goroutines that wait for the socket fail. The descriptor is closed when
// the last has stopped using it.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	if s.file != nil {
		return s.file.Close()
	}
	return syscall.Close(s.fd)
}

// CloseWrite ends the stream to the client.
func (s *socket) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	return os.NewSyscallError("shutdown", syscall.Shutdown(s.fd, syscall.SHUT_WR))
}

func (s *socket) SetDeadline(t time.Time) error {
	if err := s.SetReadDeadline(t); err != nil {
		return err
	}
	return s.SetWriteDeadline(t)
}

func (s *socket) SetReadDeadline(t time.Time) error {
	return s.setDeadline(&s.readBy, t, (*os.File).SetReadDeadline)
}

func (s *socket) SetWriteDeadline(t time.Time) error {
	return s.setDeadline(&s.writeBy, t, (*os.File).SetWriteDeadline)
}

func (s *socket) setDeadline(kept *time.Time, t time.Time, set func(*os.File, time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	*kept = t
	if s.file == nil {
		return nil
	}
	return set(s.file, t)
}

func (s *socket) RemoteAddr() net.Addr {
	return peer(netip.AddrPortFrom(s.remote.Addr().WithZone(zone(s.scope)), s.remote.Port()))
}

// peer is the address of a socket's other end.
type peer netip.AddrPort

func (p peer) Network() string          { return "tcp" }
func (p peer) String() string           { return p.AddrPort().String() }
func (p peer) AddrPort() netip.AddrPort { return netip.AddrPort(p) }

func (s *socket) LocalAddr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &net.TCPAddr{}
	}
	name, err := syscall.Getsockname(s.fd)
	if err != nil {
		return &net.TCPAddr{}
	}
	switch a := name.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *syscall.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	}
	return &net.TCPAddr{}
}
