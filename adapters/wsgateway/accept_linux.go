//go:build !386

package wsgateway

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// acceptNow is a non-blocking accept4(2) on a non-blocking socket. Like sendNow, it bypasses
// the runtime.
func acceptNow(listener int) (*socket, error) {
	var from syscall.RawSockaddrAny
	for {
		size := uint32(unsafe.Sizeof(from))
		fd, _, errno := syscall.RawSyscall6(syscall.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&from)),
			uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			remote, scope := addressOf(&from)
			return &socket{fd: int(fd), remote: remote, scope: scope}, nil
		case syscall.EINTR, syscall.ECONNABORTED: // the client has gone meanwhile
			continue
		}
		return nil, errno
	}
}

// addressOf returns the address without its zone, and the zone's number; 0 for none.
func addressOf(from *syscall.RawSockaddrAny) (address netip.AddrPort, scope uint32) {
	port := func(raw *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(raw))[:]) }
	switch from.Addr.Family {
	case syscall.AF_INET:
		a := (*syscall.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), port(&a.Port)), 0
	case syscall.AF_INET6:
		a := (*syscall.RawSockaddrInet6)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), port(&a.Port)), a.Scope_id
	}
	return netip.AddrPort{}, 0
}

// zone returns the name of the interface for a link-local address; "" for any other. It asks
// the kernel, with several system calls.
func zone(scope uint32) string {
	if scope == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(scope)); err == nil {
		return i.Name
	}
	return ""
}
