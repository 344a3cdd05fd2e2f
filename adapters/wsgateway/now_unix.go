//go:build unix && (!linux || 386)

package wsgateway

import "syscall"

// sendNow writes to a socket that does not block, as those of package net are.
func sendNow(descriptor int, frame []byte) (int, error) { return syscall.Write(descriptor, frame) }

// receiveNow reads from a socket that does not block.
func receiveNow(descriptor int, p []byte) (int, error) { return syscall.Read(descriptor, p) }
