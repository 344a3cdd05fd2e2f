package wsgateway

import (
	"errors"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall lacks: how long sent data
// can stay unacknowledged.
const tcpUserTimeout = 18

// tune sets socket options on a listener, whose sockets inherit them. They close a
// connection whose host leaves data unacknowledged for too long, and probe the host
// when nothing is sent. Small frames are sent at once.
func tune(fd uintptr, silence time.Duration) (failed error) {
	for _, o := range []struct{ level, option, value int }{
		{syscall.SOL_SOCKET, syscall.SO_SNDBUF, kernelBuffer},
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1}, // package net sets it on each socket
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, int(probeAfter.Seconds())},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, max(1, int((silence / probes).Seconds()))},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, probes},
		{syscall.IPPROTO_TCP, tcpUserTimeout, int(silence.Milliseconds())},
	} {
		failed = errors.Join(failed, syscall.SetsockoptInt(int(fd), o.level, o.option, o.value))
	}
	return failed
}
