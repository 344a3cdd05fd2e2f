//go:build !386

package wsgateway

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// listener is what Listen returns. Serve takes its descriptor from package net; until then
// it is as any other.
type listener struct {
	net.Listener

	mu       sync.Mutex
	acceptor *acceptor // nil until Serve is called
	closed   bool
}

// ownListener lets Serve accept the listener's sockets by itself.
func ownListener(l net.Listener) net.Listener { return &listener{Listener: l} }

// serveOwn serves a listener that Listen returned. It reports false for any other.
func (g *Gateway) serveOwn(l net.Listener) (bool, error) {
	own, ok := l.(*listener)
	if !ok {
		return false, nil
	}
	a, err := own.accept(g)
	if err != nil || a == nil {
		return true, err
	}
	go a.run()
	<-a.ended
	return true, nil
}

// accept returns what accepts the sockets from now on, or nil if the listener is closed.
func (l *listener) accept(g *Gateway) (*acceptor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tcp, ok := l.Listener.(*net.TCPListener)
	if l.closed || !ok {
		return nil, nil
	}
	fd, err := duplicate(tcp)
	if err != nil {
		return nil, err
	}
	a, err := newAcceptor(g, fd)
	if err != nil {
		syscall.Close(fd)
		return nil, err
	}
	l.acceptor = a
	return a, tcp.Close() // or the runtime would watch it too
}

// duplicate returns another descriptor of the listener.
func duplicate(l *net.TCPListener) (fd int, err error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlled := raw.Control(func(original uintptr) {
		var errno syscall.Errno
		var got uintptr
		if got, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, original, syscall.F_DUPFD_CLOEXEC, 0); errno != 0 {
			err = os.NewSyscallError("fcntl", errno)
		}
		fd = int(got)
	})
	if controlled != nil {
		return 0, controlled
	}
	return fd, err
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	if l.acceptor == nil {
		return l.Listener.Close()
	}
	return l.acceptor.close()
}
