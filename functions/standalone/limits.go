package main

import (
	"log/slog"

	"serverless-websocket/adapters/wsgateway"
)

const (
	// maxHTTPSockets is how many sockets HTTP and the @connections API may have each.
	maxHTTPSockets = 100
	// otherFiles is what else the process has open, with some to spare.
	otherFiles = 2*maxHTTPSockets + 50
)

// connectionLimit is how many connections there may be: as many as were asked for,
// or as the process's limit of open files leaves.
func connectionLimit(asked int) int {
	if files, known := fileLimit(); known {
		return fitting(asked, files)
	}
	return asked
}

// warnOfLimits says at the start what would else show when clients are refused.
func (s settings) warnOfLimits(log *slog.Logger) {
	if limit := connectionLimit(s.maxConnections); limit < s.maxConnections {
		files, _ := fileLimit()
		log.Warn("fewer connections than -max-connections: the limit of open files is too low",
			"connections", limit, "openFiles", files)
	}
}

// fitting is how many connections fit into a number of open files, beside
// handshakes and what the other addresses need.
func fitting(asked, files int) int {
	return max(1, min(asked, files-wsgateway.MaxPending-otherFiles))
}
