package blackbox

import "testing"

// suite must pass for every way to run the service. start gives each case its own
// service, and stops it gracefully when the case is over.
func suite(t *testing.T, start func(*testing.T, settings) *target) {
	for _, c := range []struct {
		name     string
		run      func(*testing.T, *target)
		settings settings
	}{
		{name: "ping", run: ping},
		{name: "wscat", run: wscat},
		{name: "clients in Node and Python", run: terminalClients},
		{name: "browser", run: browserWithoutToken},
		{name: "content byte for byte", run: contentByteForByte},
		{name: "ref is echoed", run: refIsEchoed},
		{name: "error replies", run: errorReplies},
		{name: "public reports", run: publicReports},
		{name: "frames over the limits", run: framesOverTheLimits},
		{name: "large message in fragments", run: largeMessage},
		{name: "many clients", run: manyClients},
		{name: "client that never reads", run: neverReads, settings: slowClientLimits},
		{name: "clients killed during broadcasts", run: killedClients},
		{name: "connections API", run: connectionsAPI},
		{name: "log trail of a message", run: logTrail},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, start(t, c.settings)) })
	}
}

// suiteWithoutHistory must pass for every way to run the service with history turned off.
// Frames and limits are those of the first release then. start gives each case its own
// service, which requires tokens for some.
func suiteWithoutHistory(t *testing.T, start func(t *testing.T, tokens bool) *target) {
	for _, c := range []struct {
		name   string
		run    func(*testing.T, *target)
		tokens bool
	}{
		{name: "wscat", run: wscat},
		{name: "content byte for byte", run: contentByteForByte},
		{name: "error replies", run: errorReplies},
		{name: "large message in fragments", run: largeMessage},
		{name: "many clients", run: manyClients},
		{name: "nothing is kept", run: noHistory},
		{name: "messages to users", run: oneToOne, tokens: true},
		{name: "rooms", run: inRooms, tokens: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tg := start(t, c.tokens)
			tg.keepsNothing = true
			c.run(t, tg)
		})
	}
}
