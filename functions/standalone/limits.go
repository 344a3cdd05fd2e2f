package main

import (
	"log/slog"
	"runtime"

	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain/session"
)

const (
	// maxHTTPSockets limits the sockets of HTTP and of the @connections API, each.
	maxHTTPSockets = 100
	// otherFiles is how many other files the process has open, with some to spare.
	otherFiles = 2*maxHTTPSockets + wsgateway.MaxRefusing + 50
)

// concurrency is how many requests of clients are handled at once: the other half of the
// processors is for posts.
func concurrency() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// readLimits leave clients that send a part of the time, and a turn if there are several:
// 20 MiB of messages a second for those who catch up, after 40 at once.
func readLimits() session.ReadLimits {
	return session.ReadLimits{AtOnce: max(1, concurrency()-1), PerSecond: 5_000, Burst: 10_000}
}

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
