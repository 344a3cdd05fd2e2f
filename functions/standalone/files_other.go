//go:build !unix

package main

// fileLimit is unknown on this platform.
func fileLimit() (limit int, known bool) { return 0, false }
