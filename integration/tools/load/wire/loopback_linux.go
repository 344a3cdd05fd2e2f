package wire

import (
	"net"
	"sync/atomic"
	"syscall"
)

// loopbackAddresses is the number of local addresses over which connections to this
// machine are spread. Each address has a limited number of ports, and finding a free one
// takes longer the fewer are left: half a millisecond of CPU when 14,000 are taken.
const loopbackAddresses = 16

// bindAddressNoPort (IP_BIND_ADDRESS_NO_PORT, ip(7)) lets connect choose the port, since
// it knows the other end.
const bindAddressNoPort = 24

var loopbackTurn atomic.Uint32

// spreadLoopback is for net.Dialer.Control. It binds a socket that will connect
// to 127.0.0.0/8 to one of the addresses there.
func spreadLoopback(network, address string, socket syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || network != "tcp4" || !ip.IsLoopback() {
		return nil
	}
	turn := byte(loopbackTurn.Add(1) % loopbackAddresses)
	local := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1 + turn}}
	var bound error
	err = socket.Control(func(fd uintptr) {
		if bound = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1); bound == nil {
			bound = syscall.Bind(int(fd), local)
		}
	})
	if err == nil {
		err = bound
	}
	return err
}
