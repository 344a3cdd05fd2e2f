//go:build !unix

package wsgateway

import "syscall"

// sendNow sends nothing: everything is left to the flusher.
func sendNow(int, []byte) (int, error) { return 0, nil }

// receiveNow receives nothing: the caller waits.
func receiveNow(int, []byte) (int, error) { return 0, syscall.EAGAIN }
