package main

import (
	"fmt"
	"path/filepath"

	"serverless-websocket/integration/load/wire"
)

// check refuses what cannot work.
func (s *settings) check() error {
	share := func(x float64) bool { return 0 <= x && x <= 1 }
	checks := []struct {
		flag, want string
		ok         bool
	}{
		{"url", "ws://host or wss://host", (s.target.Scheme == "ws" || s.target.Scheme == "wss") && s.target.Hostname() != ""},
		{"pid", "0 or more", s.pid >= 0},
		{"connect-timeout", "above 0", s.connectTimeout > 0},
		{"connect-rate", "0 or more, and at most a million", 0 <= s.connectRate && s.connectRate <= 1e6},
		{"clients", "1 or more", s.clients >= 1},
		{"senders", "1 up to the number of clients", 1 <= s.senders && s.senders <= s.clients},
		{"broadcasts", "1 to 10 million", 1 <= s.broadcasts && s.broadcasts <= mostBroadcasts},
		{"rate", "above 0, and at most a million", 0 < s.rate && s.rate <= 1e6},
		{"size", fmt.Sprintf("%d to %d", wire.MinSize, wire.MaxSize), wire.MinSize <= s.size && s.size <= wire.MaxSize},
		{"drain", "0 or more", s.drain >= 0},
		{"outstanding", "at least the number of senders", s.scenario != burst.name || s.outstanding >= s.senders},
		{"ramp-factor", "above 1, and at most 1000", 1 < s.rampFactor && s.rampFactor <= 1000},
		{"ramp-step", "above 0", s.rampStep > 0},
		{"ramp-step", "at most 10 million broadcasts in the first step", s.scenario != ramp.name || s.rate*s.rampStep.Seconds() <= mostBroadcasts},
		{"ramp-steps", "1 or more", s.rampSteps >= 1},
		{"p99-bound", "above 0", s.p99Bound > 0},
		{"churn-share", "0 to 1", share(s.churnShare)},
		{"churn-stay", "above 0", s.churnStay > 0},
		{"churn-away", "0 or more", s.churnAway >= 0},
		{"grace", "0 or more", s.grace >= 0},
		{"slow-share", "0 to 1", share(s.slowShare)},
		{"slow-speed", "1 or more", s.slowSpeed >= 1},
		{"json, -csv and -html", "one file cannot take two of them, and standard output just one", distinct(s.json, s.csv, s.html)},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("invalid value for -%s: %s", c.flag, c.want)
		}
	}
	return nil
}

// distinct reports whether no two of the files that are named are the same.
func distinct(names ...string) bool {
	seen := map[string]bool{}
	for _, name := range names {
		if path, err := filepath.Abs(name); err == nil && name != "" {
			name = path
		}
		if name != "" && seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}
