//go:build unix

package apigwposter

import "syscall"

// hungUp reports whether the server has closed the idle connection, or has sent
// what nobody asked for.
func (c *conn) hungUp() bool {
	socket, ok := c.socket.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	quiet := false
	err = raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		quiet = err == syscall.EAGAIN // a Go socket does not block
	})
	return err != nil || !quiet
}
