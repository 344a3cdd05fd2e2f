package wsgateway

import (
	"errors"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall lacks: how long what
// was sent may stay without an acknowledgement.
const tcpUserTimeout = 18

// tune sets the options of sockets on their listener. One whose host is silent is
// given up when it has something to acknowledge; one on which nothing is sent is
// asked now and then.
func tune(fd uintptr, silence time.Duration) (failed error) {
	for _, o := range []struct{ level, option, value int }{
		{syscall.SOL_SOCKET, syscall.SO_SNDBUF, kernelBuffer},
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, int(probeAfter.Seconds())},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, max(1, int((silence / probes).Seconds()))},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, probes},
		{syscall.IPPROTO_TCP, tcpUserTimeout, int(silence.Milliseconds())},
	} {
		failed = errors.Join(failed, syscall.SetsockoptInt(int(fd), o.level, o.option, o.value))
	}
	return failed
}
