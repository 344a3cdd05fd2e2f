//go:build !linux

package wire

import "syscall"

// spreadLoopback does nothing: on other systems 127.0.0.1 may be the only address.
func spreadLoopback(string, string, syscall.RawConn) error { return nil }
