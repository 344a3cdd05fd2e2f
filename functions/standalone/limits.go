package main

import (
	"log/slog"

	"serverless-websocket/adapters/wsgateway"
)

const (
	// maxHTTPSockets limits the sockets of HTTP and of the @connections API, each.
	maxHTTPSockets = 100
	// otherFiles is how many other files the process has open, with some to spare.
	otherFiles = 2*maxHTTPSockets + 50
)

// connectionLimit is the number of connections requested, or the number that the
// open-file limit allows.
func (s settings) connectionLimit() int {
	if files, known := fileLimit(); known {
		return fitting(s.maxConnections, files-s.dataFiles())
	}
	return s.maxConnections
}

// warnOfLimits reports at startup what would otherwise only show when clients are
// refused.
func (s settings) warnOfLimits(log *slog.Logger) {
	if limit := s.connectionLimit(); limit < s.maxConnections {
		files, _ := fileLimit()
		log.Warn("the open-file limit is too low for -max-connections; fewer clients can connect",
			"connections", limit, "openFiles", files)
	}
}

// fitting is how many connections fit into a number of open files, beside handshakes and
// the sockets of the other addresses.
func fitting(asked, files int) int {
	return max(1, min(asked, files-wsgateway.MaxPending-otherFiles))
}
