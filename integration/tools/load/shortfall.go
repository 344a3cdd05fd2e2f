package main

import (
	"errors"
	"fmt"
	"strings"
)

// shortfall says what was incomplete, apart from losses.
func (r *loadRun) shortfall() error {
	parts := append(r.unsatisfied(), r.disturbances()...)
	parts = append(parts, r.unresumed()...)
	if refused, err := r.events.neverConnected(); refused > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d clients were refused: %v", refused, r.settings.clients, err))
	}
	if err := r.server.failure(); err != nil {
		parts = append(parts, err.Error())
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, ", "))
}

// unsatisfied covers the broadcasts. The purpose of a ramp is to find the rate at which
// they fail, and after an interruption their outcome is unknown.
func (r *loadRun) unsatisfied() (parts []string) {
	sends := r.tally.SendCounts()
	if sends.Sent > 0 && sends.Accepted == 0 && !r.interrupted {
		parts = append(parts, "no broadcast was accepted")
	}
	if r.settings.scenario == ramp.name {
		return parts
	}
	if !r.interrupted {
		parts = tell(parts, sends.Scheduled-sends.Sent, "broadcast", "not sent")
		parts = tell(parts, sends.Unanswered(), "broadcast", "unanswered")
	}
	return tell(parts, sends.RejectedInAll(), "broadcast", "rejected")
}

// disturbances covers the connections.
func (r *loadRun) disturbances() (parts []string) {
	closed, refused := r.events.disturbed()
	parts = tell(parts, closed, "connection", "closed by the server")
	return tell(parts, refused, "reconnect", "refused")
}

// unresumed covers scenario resume.
func (r *loadRun) unresumed() (parts []string) {
	if !r.settings.chosen.follow {
		return nil
	}
	refused, noneKept := r.resumes.refused()
	if noneKept {
		parts = append(parts, errNoHistory.Error())
	}
	parts = tell(parts, refused, "resume", "refused")
	parts = tell(parts, r.behind, "client", "did not resume at the end")
	return tell(parts, r.tally.Counts().Duplicated, "broadcast", "handed on twice")
}

// tell adds a count of things and what happened to them, if there are any.
func tell(parts []string, n int, thing, what string) []string {
	switch {
	case n > 1:
		thing += "s"
	case n < 1:
		return parts
	}
	return append(parts, fmt.Sprintf("%d %s %s", n, thing, what))
}
