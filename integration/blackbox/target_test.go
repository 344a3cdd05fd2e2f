package blackbox

import "time"

// target is one running service, as its clients and its operator see it.
type target struct {
	webSocketURL       string
	httpURL            string
	managementEndpoint string // without "/@connections", as the SDK wants it
	logs               *logs
	// exact says that each message comes once and in order, as from one process.
	// On AWS it comes at least once, and in the best order that there is.
	exact bool
}

// settings are what a case needs otherwise than it is by default. The zero value
// of each leaves the default.
type settings struct {
	writeTimeout time.Duration // until a client that does not read is dropped
}
