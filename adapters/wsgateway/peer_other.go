//go:build !linux

package wsgateway

import (
	"net"
	"time"
)

// limitSilence leaves it to the operating system for how long it tries to send.
func limitSilence(*net.TCPConn, time.Duration) {}
