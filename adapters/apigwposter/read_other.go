//go:build !unix

package apigwposter

import "os"

// readDescriptor sees nothing here: only data that TLS has already read is visible.
func readDescriptor(uintptr, []byte) (int, error) { return 0, os.ErrDeadlineExceeded }
