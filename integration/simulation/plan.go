package simulation

import (
	"time"

	"serverless-websocket/domain/fanout"
)

// kind says what a run should show besides that nothing is lost.
type kind string

const (
	anything kind = "anything" // everything can go wrong, several things at once
	exact    kind = "exact"    // nothing that redelivers work: no duplicates
	prompt   kind = "prompt"   // only slow clients: all others get theirs at once
)

// plan is the world of a seed: its size, its settings and what goes wrong in it.
type plan struct {
	kind       kind
	clients    int
	strays     int // old rows, about to expire
	foreign    int // rows written by another program
	nonsense   int // bodies that are not jobs
	messages   int
	large      bool // contents that do not share a payload
	logged     bool // whether channels keep their messages
	forgetful  bool // whether they soon drop them
	jobs       intake
	channels   intake
	parts      intake
	retries    intake
	governed   bool          // the workers share the account's quota
	timeout    time.Duration // of an invocation
	visibility time.Duration
	pageSize   int
	options    fanout.Options
	hazards    hazards
	// promptly is the time within which every open client that is not slow gets a message
	// while others are slow, if the kind is prompt.
	promptly time.Duration
}

// hazards are what goes wrong, as probabilities unless said otherwise.
type hazards struct {
	crashes      float64       // of an invocation
	stops        float64       // of an invocation whose context ends
	duplicates   float64       // of a queue message that is delivered twice
	reordered    float64       // of a queue message that is overtaken
	sendFails    float64       // of a send of which none or some is stored
	sendUnknown  float64       // of a send that fails but may be stored anyway
	outageFrom   time.Duration // since the start: when no queue takes anything
	outage       time.Duration // and for how long; 0: never
	storeTakes   time.Duration // a call to the store at most, if longer than usual
	storeFails   float64       // of a call to the store
	emptyPages   float64       // of a scan
	throttled    float64       // of a post to a client that reads slowly
	unavailable  float64       // of a post that answers 5xx
	unknown      float64       // of a post that answers 5xx but was delivered
	slow         float64       // of a client that answers slowly
	answerWithin time.Duration // of a slow client
	quota, burst float64       // posts a second; 0: no limit
	clocks       float64       // of a function whose clock is wrong
	vanishes     float64       // of a client that the gateway takes for gone for a while
	deniedFrom   time.Duration // since the start: when posting is forbidden
	denied       time.Duration // and for how long; 0: never
}

func newPlan(s seed) plan {
	p := plan{
		kind:     [...]kind{exact, prompt, anything, anything}[s%4],
		clients:  s.number("clients", 5, 40),
		strays:   s.number("strays", 0, 8),
		foreign:  max(0, s.number("foreign", -3, 4)),
		nonsense: max(0, s.number("nonsense", -4, 2)),
		messages: s.number("messages", 1, 5),
		large:    s.happens("large", 0.08),
		logged:   s.happens("logged", 0.5),

		forgetful: s.happens("forgetful", 0.3),
		jobs: intake{
			workers: s.number("job workers", 1, 3),
			batch:   pick(s, "batch", 1, 3, 10),
			window:  pick(s, "window", 0, 200*time.Millisecond, time.Second),
		},
		channels:   intake{workers: s.number("channel workers", 1, 2), batch: pick(s, "channels", 1, 10)},
		parts:      intake{workers: s.number("part workers", 1, 3), batch: pick(s, "parts", 1, 1, 10)},
		retries:    intake{workers: s.number("retry workers", 1, 2), batch: pick(s, "retries", 1, 10)},
		timeout:    pick(s, "timeout", margin+2*time.Second, margin+3*time.Second, 15*time.Second, time.Minute),
		visibility: pick(s, "visibility", 65*time.Second, 6*time.Minute),
		pageSize:   pick(s, "page size", 1, 3, 7, 20, 100),
	}
	p.options = fanout.Options{
		DeadlineMargin: margin,
		InFlight:       pick(s, "in flight", 4, 8, 16, 256),
		Parts:          pick(s, "split into", 0, 2, 3, 4),
		ChannelParts:   pick(s, "split channels into", 0, 2, 3),
		MaxHeld:        pick(s, "held", 0, 2, 5),
		Repeats:        pick(s, "retries", -1, 1),
		// The minimum: halved and spread at random they are the same in every run, and
		// the queue rounds them up to seconds.
		Backoff:      1,
		RequeueDelay: 1,
	}
	switch p.kind {
	case prompt:
		p.makePrompt(s)
	default:
		p.hazards = newHazards(s, p.kind)
		p.governed = p.hazards.quota > 0 && s.happens("governed", 0.7)
	}
	return p
}

// margin gives work in progress at the end of an invocation time for a post.
const margin = 2*postLimit + 2*time.Second

// justInTime is how slow an answer can be and still arrive before its caller gives up,
// including the way there.
const justInTime = postLimit - 100*time.Millisecond

// makePrompt leaves room for the slow clients among the posts in flight, and has either
// workers to spare or the same number as on AWS. There, both workers for new jobs can be
// waiting for posts to slow clients, and new messages wait for one of them.
func (p *plan) makePrompt(s seed) {
	p.timeout, p.large = time.Minute, false
	p.options.InFlight = 64
	p.hazards = hazards{
		slow: 0.3, answerWithin: 2 * postLimit,
		throttled: pick(s, "prompt throttled", 0, 0.8), unavailable: pick(s, "prompt unavailable", 0, 0.4),
	}
	p.channels = intake{workers: 32, batch: 1}
	p.jobs, p.parts, p.promptly = intake{workers: 32, batch: 1}, intake{workers: 96, batch: 1}, postLimit/2
	if s.happens("as on AWS", 0.5) {
		p.jobs, p.retries = intake{workers: 2, batch: 10}, intake{workers: 2, batch: 10}
		p.parts, p.channels = intake{workers: 4, batch: 1}, intake{workers: 2, batch: 10}
		p.promptly += 2 * postLimit
	}
}

func newHazards(s seed, k kind) hazards {
	some := func(what string, most float64) float64 {
		if !s.happens("any "+what, 0.6) {
			return 0
		}
		return s.share(what) * most
	}
	h := hazards{
		reordered:    some("reordered", 0.5),
		storeTakes:   pick(s, "store takes", 0, 0, 500*time.Millisecond),
		storeFails:   some("store fails", 0.2),
		emptyPages:   some("empty pages", 0.4),
		throttled:    some("throttled", 0.8),
		unavailable:  some("unavailable", 0.4),
		slow:         some("slow", 0.3),
		answerWithin: s.between("answer within", time.Second, justInTime),
	}
	h.clocks = some("clocks", 0.6)
	h.vanishes = some("vanishes", 0.5)
	if s.happens("any denied", 0.2) {
		h.deniedFrom = s.between("denied from", firstMessage, lastMessage)
		h.denied = s.between("denied", time.Millisecond, 20*time.Second)
	}
	if s.happens("any quota", 0.5) {
		size := s.share("quota")
		h.quota, h.burst = 5+size*size*100, 1+s.share("burst")*20
	}
	if k == anything {
		h.crashes = some("crashes", 0.3)
		h.stops = some("stops", 0.2)
		h.duplicates = some("duplicates", 0.1)
		h.sendFails = some("send fails", 0.2)
		if s.happens("any outage", 0.2) {
			h.outageFrom = s.between("outage from", firstMessage, lastMessage)
			h.outage = s.between("outage", time.Second, 10*time.Second)
		}
		h.sendUnknown = some("send unknown", 0.1)
		h.unknown = some("unknown", 0.2)
		h.answerWithin = s.between("answer within", time.Second, 2*postLimit)
	}
	return h
}
