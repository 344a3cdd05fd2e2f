//go:build !unix

package main

// fileLimit is not known here.
func fileLimit() (limit int, known bool) { return 0, false }
