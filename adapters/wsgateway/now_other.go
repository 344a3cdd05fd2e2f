//go:build !unix

package wsgateway

import "syscall"

// sendNow sends nothing and leaves everything to the flusher.
func sendNow(int, []byte) (int, error) { return 0, nil }

// receiveNow receives nothing, so that the caller waits.
func receiveNow(int, []byte) (int, error) { return 0, syscall.EAGAIN }
