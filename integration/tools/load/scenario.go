package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is a way to load the service: phases of sending, and what the
// clients do meanwhile.
type scenario struct {
	name, about string
	flags       []string // that no other has
	useless     []string // of the common flags
	plan        func(settings) plan
	behavior    func(settings) (share float64, h behavior) // of a share of the clients; nil for none
	flood       bool                                       // one more client broadcasts as fast as the server reads
	follow      bool                                       // clients keep positions, are cut, and resume
}

// plan returns the next phase of sending, if any. Its argument is the verdict on the
// previous phase, nil at first.
type plan func(previous *verdict) (phase, bool)

// phase is a number of broadcasts, on a schedule or as fast as they are accepted.
type phase struct {
	count  int
	rate   float64       // a second; 0 for as fast as accepted
	window int           // how many may be unanswered then
	least  time.Duration // that it takes, however few there are
	bound  time.Duration // of the p99, above which the phase does not hold; 0 for no verdict
}

// due is when broadcast i of the phase is to be sent, in microseconds from its
// start.
func (s phase) due(i int) int64 { return int64(float64(i) / s.rate * 1e6) }

// length is how long the schedule takes.
func (s phase) length() time.Duration {
	if s.rate == 0 {
		return 0
	}
	return max(s.least, time.Duration(s.due(s.count-1))*time.Microsecond)
}

// verdict is the result of a phase with a bound.
type verdict struct {
	phase
	p99    time.Duration
	beyond bool // more than one delivery in a hundred missed the bound
	took   bool // the service accepted all but one in a hundred
}

func (v verdict) held() bool { return !v.beyond && v.took && v.p99 <= v.bound }

// behavior is how a client differs from others.
type behavior struct {
	stay, away time.Duration // on average; stay is 0 for clients that never leave
	speed      int           // bytes a second that it reads; 0 for all that comes
}

var (
	steady = scenario{
		name:  "steady",
		about: "broadcasts at a fixed rate",
		plan:  atRate,
	}
	burst = scenario{
		name:    "burst",
		about:   "broadcasts as fast as they are accepted",
		flags:   []string{"outstanding"},
		useless: []string{"rate"},
		plan:    asAccepted,
	}
	ramp = scenario{
		name:    "ramp",
		about:   "raises the rate in steps until the p99 exceeds a bound",
		flags:   []string{"ramp-factor", "ramp-step", "ramp-steps", "p99-bound"},
		useless: []string{"broadcasts"},
		plan:    rising,
	}
	churn = scenario{
		name:  "churn",
		about: "like steady, while some clients leave and return",
		flags: []string{"churn-share", "churn-stay", "churn-away", "grace"},
		plan:  atRate,
		behavior: func(s settings) (float64, behavior) {
			return s.churnShare, behavior{stay: s.churnStay, away: s.churnAway}
		},
	}
	slow = scenario{
		name:     "slow",
		about:    "like steady, but some clients read slowly; latency reported separately",
		flags:    []string{"slow-share", "slow-speed"},
		plan:     atRate,
		behavior: func(s settings) (float64, behavior) { return s.slowShare, behavior{speed: s.slowSpeed} },
	}
	flood = scenario{
		name:  "flood",
		about: "like steady, while one more client sends as fast as the server reads",
		plan:  atRate,
		flood: true,
	}

	resume = scenario{
		name:     "resume",
		about:    "like steady, while clients are cut at random and resume; needs history",
		flags:    []string{"resume-share", "resume-every", "resume-away"},
		plan:     atRate,
		behavior: func(s settings) (float64, behavior) { return 1, behavior{away: s.resumeAway} },
		follow:   true,
	}

	scenarios = []scenario{steady, burst, ramp, churn, slow, flood, resume}
)

func scenarioOf(name string) (scenario, bool) {
	i := slices.IndexFunc(scenarios, func(one scenario) bool { return one.name == name })
	if i < 0 {
		return scenario{}, false
	}
	return scenarios[i], true
}

func scenarioNames() string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// checkFlags refuses flags that have no effect in the scenario.
func (s scenario) checkFlags(f *flag.FlagSet) (err error) {
	useless := slices.Clone(s.useless)
	for _, other := range scenarios {
		if other.name != s.name {
			useless = append(useless, other.flags...)
		}
	}
	f.Visit(func(one *flag.Flag) {
		if slices.Contains(useless, one.Name) {
			err = fmt.Errorf("-%s has no effect in scenario %s", one.Name, s.name)
		}
	})
	return err
}

// behaviorOf is the behavior of the i-th client that does not send. Clients with a
// behavior are spread evenly among the others.
func (s scenario) behaviorOf(set settings, i int) behavior {
	if s.behavior == nil {
		return behavior{}
	}
	share, h := s.behavior(set)
	if int(float64(i+1)*share) == int(float64(i)*share) {
		return behavior{}
	}
	return h
}

func atRate(s settings) plan { return once(phase{count: s.broadcasts, rate: s.rate}) }

func asAccepted(s settings) plan {
	return once(phase{count: s.broadcasts, window: s.outstanding})
}

func once(one phase) plan {
	begun := false
	return func(*verdict) (phase, bool) {
		first := !begun
		begun = true
		return one, first
	}
}

// rising multiplies the rate as long as it holds and a step has at most mostBroadcasts.
func rising(s settings) plan {
	rate, steps := s.rate, 0
	return func(previous *verdict) (phase, bool) {
		if previous != nil && !previous.held() || steps == s.rampSteps {
			return phase{}, false
		}
		if previous != nil {
			rate *= s.rampFactor
		}
		steps++
		count := rate * s.rampStep.Seconds()
		if count > mostBroadcasts {
			return phase{}, false
		}
		return phase{count: max(1, int(count)), rate: rate, least: s.rampStep, bound: s.p99Bound}, true
	}
}
