//go:build unix

package apigwposter

import (
	"io"
	"os"
	"syscall"
)

// readDescriptor reads from a Go socket, which does not block.
func readDescriptor(fd uintptr, b []byte) (int, error) {
	switch n, err := syscall.Read(int(fd), b); {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	default:
		return n, nil
	}
}
