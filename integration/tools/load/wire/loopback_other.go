//go:build !linux

package wire

import "syscall"

// spreadLoopback does nothing: elsewhere 127.0.0.1 can be the only address.
func spreadLoopback(string, string, syscall.RawConn) error { return nil }
