package wsgateway

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall lacks.
const tcpUserTimeout = 18

// limitSilence has the operating system give the connection up when the other
// host does not acknowledge what was sent to it for so long.
func limitSilence(sock *net.TCPConn, d time.Duration) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return // the socket is closed, as the first read will find
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds())) // known since Linux 2.6.37
	})
}
