package main

import (
	"errors"
	"fmt"
	"strings"
)

// shortfall tells what was not done as asked, apart from what was lost.
func (t *trial) shortfall() error {
	parts := append(t.unsatisfied(), t.disturbances()...)
	if refused, err := t.events.neverConnected(); refused > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d clients were refused: %v", refused, t.settings.clients, err))
	}
	if err := t.server.failure(); err != nil {
		parts = append(parts, err.Error())
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, ", "))
}

// unsatisfied tells of the broadcasts. A ramp is there to find out at which rate
// they fail, and after an interruption there is no knowing how they would have
// ended.
func (t *trial) unsatisfied() (parts []string) {
	sends := t.tally.SendCounts()
	if sends.Sent > 0 && sends.Accepted == 0 && !t.interrupted {
		parts = append(parts, "no broadcast was accepted")
	}
	if t.settings.scenario == ramp.name {
		return parts
	}
	if !t.interrupted {
		parts = tell(parts, sends.Scheduled-sends.Sent, "broadcast", "not sent")
		parts = tell(parts, sends.Unanswered(), "broadcast", "unanswered")
	}
	return tell(parts, sends.RejectedInAll(), "broadcast", "rejected")
}

// disturbances tells of the connections.
func (t *trial) disturbances() (parts []string) {
	closed, refused := t.events.disturbed()
	parts = tell(parts, closed, "connection", "closed by the server")
	return tell(parts, refused, "reconnect", "refused")
}

// tell adds how many things something happened to, if there are any.
func tell(parts []string, n int, thing, what string) []string {
	switch {
	case n > 1:
		thing += "s"
	case n < 1:
		return parts
	}
	return append(parts, fmt.Sprintf("%d %s %s", n, thing, what))
}
