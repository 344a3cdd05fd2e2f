package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is a way to load the service: stretches of sending, and what the
// clients do meanwhile.
type scenario struct {
	name, about string
	flags       []string // that no other has
	useless     []string // of the common flags
	plan        func(settings) plan
	habit       func(settings) (share float64, h habit) // of a share of the clients; nil for none
	flood       bool                                    // one more client broadcasts as fast as the server reads
}

// plan returns the next stretch of sending, if there is one. It is told how the
// one before went, which is nil at first.
type plan func(previous *verdict) (stretch, bool)

// stretch is a number of broadcasts, scheduled or as fast as they are accepted.
type stretch struct {
	count  int
	rate   float64       // a second; 0 for as fast as accepted
	window int           // how many may be unanswered then
	least  time.Duration // that it takes, however few there are
	bound  time.Duration // of the p99, above which the stretch does not hold; 0 for no verdict
}

// due is when broadcast i of the stretch is to be sent, in microseconds from its
// start.
func (s stretch) due(i int) int64 { return int64(float64(i) / s.rate * 1e6) }

// length is how long the schedule takes.
func (s stretch) length() time.Duration {
	if s.rate == 0 {
		return 0
	}
	return max(s.least, time.Duration(s.due(s.count-1))*time.Microsecond)
}

// verdict is how a stretch with a bound went.
type verdict struct {
	stretch
	p99    time.Duration
	beyond bool // more than one delivery in a hundred did not come within the bound
	took   bool // the service accepted all but one in a hundred
}

func (v verdict) held() bool { return !v.beyond && v.took && v.p99 <= v.bound }

// habit is what makes a client unlike others.
type habit struct {
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
		about:   "raises the rate by steps until the p99 passes a bound; tells what held",
		flags:   []string{"ramp-factor", "ramp-step", "ramp-steps", "p99-bound"},
		useless: []string{"broadcasts"},
		plan:    rising,
	}
	churn = scenario{
		name:  "churn",
		about: "as steady, while some clients leave and return",
		flags: []string{"churn-share", "churn-stay", "churn-away", "grace"},
		plan:  atRate,
		habit: func(s settings) (float64, habit) { return s.churnShare, habit{stay: s.churnStay, away: s.churnAway} },
	}
	slow = scenario{
		name:  "slow",
		about: "as steady, while some clients read slowly; their latency is told apart",
		flags: []string{"slow-share", "slow-speed"},
		plan:  atRate,
		habit: func(s settings) (float64, habit) { return s.slowShare, habit{speed: s.slowSpeed} },
	}
	flood = scenario{
		name:  "flood",
		about: "as steady, while one more client sends as fast as it is read",
		plan:  atRate,
		flood: true,
	}

	scenarios = []scenario{steady, burst, ramp, churn, slow, flood}
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

// checkFlags refuses flags that were given and have no effect in the scenario.
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

// habitOf is the habit of client i of those that do not send. The clients with
// habits are spread evenly among the others.
func (s scenario) habitOf(set settings, i int) habit {
	if s.habit == nil {
		return habit{}
	}
	share, h := s.habit(set)
	if int(float64(i+1)*share) == int(float64(i)*share) {
		return habit{}
	}
	return h
}

func atRate(s settings) plan { return once(stretch{count: s.broadcasts, rate: s.rate}) }

func asAccepted(s settings) plan {
	return once(stretch{count: s.broadcasts, window: s.outstanding})
}

func once(one stretch) plan {
	begun := false
	return func(*verdict) (stretch, bool) {
		first := !begun
		begun = true
		return one, first
	}
}

// rising multiplies the rate as long as it holds, and a step has no more than
// mostBroadcasts.
func rising(s settings) plan {
	rate, steps := s.rate, 0
	return func(previous *verdict) (stretch, bool) {
		if previous != nil && !previous.held() || steps == s.rampSteps {
			return stretch{}, false
		}
		if previous != nil {
			rate *= s.rampFactor
		}
		steps++
		count := rate * s.rampStep.Seconds()
		if count > mostBroadcasts {
			return stretch{}, false
		}
		return stretch{count: max(1, int(count)), rate: rate, least: s.rampStep, bound: s.p99Bound}, true
	}
}
