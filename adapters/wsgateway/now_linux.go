//go:build !386

package wsgateway

import (
	"syscall"
	"unsafe"
)

// sendNow is send(2) without waiting. The runtime is not told of the call: told
// of so many, it looks thousands of times a second for those that take long, at
// some 7 % of the cost of a post.
func sendNow(descriptor int, frame []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO,
		uintptr(descriptor), uintptr(unsafe.Pointer(unsafe.SliceData(frame))), uintptr(len(frame)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// receiveNow is recv(2) without waiting, and without telling the runtime.
func receiveNow(descriptor int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM,
		uintptr(descriptor), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
