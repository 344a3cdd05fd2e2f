//go:build !linux

package wsgateway

import "time"

// tune leaves it to the operating system how long it tries to send.
func tune(uintptr, time.Duration) error { return nil }
