package blackbox

import "time"

// target is a running service, as its clients and its operator see it.
type target struct {
	webSocketURL       string
	httpURL            string
	managementEndpoint string // without "/@connections", as the SDK wants it
	logs               *logs
	// exact says that each message arrives once and in order, as from a single process.
	// On AWS it arrives at least once, and ordering is best effort.
	exact bool
	// keepsNothing says that history is off.
	keepsNothing bool
	// challenge is the status for a handshake without a token, if tokens are required.
	challenge int
}

// everyone is the channel of frames for everyone. Without history they have none.
func (tg *target) everyone() string {
	if tg.keepsNothing {
		return ""
	}
	return everyoneChannel
}

// settings override defaults for a case. A zero value keeps the default.
type settings struct {
	writeTimeout time.Duration // until a client that does not read is dropped
}
