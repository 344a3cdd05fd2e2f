package wsgateway

import (
	"syscall"
	"testing"
	"time"
)

// A host that vanishes while data is sent to it is noticed within a minute.
func TestSilenceIsLimited(t *testing.T) {
	s := serve(t, Config{PeerTimeout: 40 * time.Second})
	s.dial(t)
	raw, err := s.snapshot()[0].sock.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []struct{ name, want int }{
		{tcpUserTimeout, 40_000}, {syscall.TCP_KEEPIDLE, 300}, {syscall.TCP_KEEPINTVL, 13}, {syscall.TCP_KEEPCNT, 3},
		{syscall.TCP_NODELAY, 1},
	} {
		var got int
		if err := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option.name) }); err != nil {
			t.Fatal(err)
		}
		if diff := got - option.want; diff < 0 || diff > 1 { // seconds are rounded up
			t.Errorf("option %d is %d, want %d", option.name, got, option.want)
		}
	}
}
