//go:build !linux

package testenv

import "testing"

// SmallDisk skips the test.
func SmallDisk(t testing.TB, _ int) string {
	t.Helper()
	t.Skip("a small disk can only be mounted on Linux")
	return ""
}
