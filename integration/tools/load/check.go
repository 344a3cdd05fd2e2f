package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"serverless-websocket/adapters/flags"
	"serverless-websocket/integration/tools/load/wire"
)

// require makes the flags refuse values that cannot work.
func require(f *flag.FlagSet) {
	flags.Require(f, "scenario", scenarioNames(), func(name string) bool { _, ok := scenarioOf(name); return ok })
	flags.Require(f, "protocol", protocolNames, func(name string) bool { return slices.Contains(strings.Split(protocolNames, ", "), name) })
	flags.Require(f, "size", fmt.Sprintf("%d to %d", wire.MinSize, wire.MaxSize), within(wire.MinSize, wire.MaxSize))
	flags.Require(f, "broadcasts", "1 to 10 million", within(1, mostBroadcasts))
	flags.Require(f, "connect-rate", "0 or more, and at most a million", within(0.0, 1e6))
	flags.Require(f, "rate", "above 0, and at most a million", func(x float64) bool { return 0 < x && x <= 1e6 })
	flags.Require(f, "ramp-factor", "above 1, and at most 1000", func(x float64) bool { return 1 < x && x <= 1000 })
	flags.Require(f, "pid", "0 or more", within(0, math.MaxInt))
	for _, name := range []string{"clients", "senders", "ramp-steps", "slow-speed"} {
		flags.Require(f, name, "1 or more", flags.Positive[int])
	}
	for _, name := range []string{"connect-timeout", "ramp-step", "p99-bound", "churn-stay", "resume-every"} {
		flags.Require(f, name, "above 0", flags.Positive[time.Duration])
	}
	for _, name := range []string{"drain", "churn-away", "grace", "resume-away"} {
		flags.Require(f, name, "0 or more", within[time.Duration](0, math.MaxInt64))
	}
	for _, name := range []string{"churn-share", "slow-share", "resume-share"} {
		flags.Require(f, name, "0 to 1", within(0.0, 1))
	}
}

// within returns a check that a value is between the two, inclusive.
func within[T cmp.Ordered](least, most T) func(T) bool {
	return func(x T) bool { return least <= x && x <= most }
}

// check refuses incompatible settings.
func (s *settings) check(f *flag.FlagSet) error {
	if (s.target.Scheme != "ws" && s.target.Scheme != "wss") || s.target.Hostname() == "" {
		return fmt.Errorf("invalid value %q for flag -url: want ws://host or wss://host", publicURL(s.target))
	}
	for _, c := range []struct {
		flag, want string
		ok         bool
	}{
		{"senders", "at most as many as there are clients", s.senders <= s.clients},
		{"outstanding", "at least the number of senders", s.scenario != burst.name || s.outstanding >= s.senders},
		{"ramp-step", "at most 10 million broadcasts in the first step", s.scenario != ramp.name || s.rate*s.rampStep.Seconds() <= mostBroadcasts},
		{"protocol", "service in scenario resume", !s.chosen.follow || s.protocol == string(wire.Service)},
	} {
		if !c.ok {
			return fmt.Errorf("invalid value %q for flag -%s: want %s", f.Lookup(c.flag).Value, c.flag, c.want)
		}
	}
	if !distinct(s.json, s.csv, s.html) {
		return errors.New("-json, -csv and -html: each needs its own file, and only one can go to standard output")
	}
	return nil
}

// distinct reports whether all named files are different.
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
