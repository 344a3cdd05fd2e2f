//go:build unix && (!linux || 386)

package wsgateway

import "syscall"

// sendNow writes to a non-blocking socket, as those of package net are.
func sendNow(descriptor int, frame []byte) (int, error) { return syscall.Write(descriptor, frame) }

// receiveNow reads from a non-blocking socket.
func receiveNow(descriptor int, p []byte) (int, error) { return syscall.Read(descriptor, p) }
