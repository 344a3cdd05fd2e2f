package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"serverless-websocket/adapters/flags"
	"serverless-websocket/integration/tools/load/wire"
)

// settings are the values of the flags.
type settings struct {
	url            string
	header         headers
	protocol       string
	pid            int
	token          string
	connectTimeout time.Duration

	scenario           string
	clients, senders   int
	connectRate        float64
	broadcasts         int
	rate               float64
	size               int
	drain              time.Duration
	outstanding        int
	rampFactor         float64
	rampStep, p99Bound time.Duration
	rampSteps          int
	churnShare         float64
	churnStay          time.Duration
	churnAway, grace   time.Duration
	slowShare          float64
	slowSpeed          int
	resumeShare        float64
	resumeEvery        time.Duration
	resumeAway         time.Duration
	json, csv, html    string
	target             *url.URL // of url
	chosen             scenario // of scenario
}

// The default rate of new connections: API Gateway accepts 500 a second per account; a
// server on the same machine is only limited by the machine.
const (
	connectRateAway     = 500
	connectRateLoopback = 5_000
)

// mostBroadcasts is the maximum in a run, or in a step of a ramp: the fate of each is
// kept in memory.
const mostBroadcasts = 10_000_000

const protocolNames = "service, echo, centrifuge"

// mostOutstanding is the default of -outstanding, provided that it is enough for all
// senders.
const mostOutstanding = 100

func (s *settings) flags() *flag.FlagSet {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are returned, and usage has its own format
	s.targetFlags(f)
	s.loadFlags(f)
	s.scenarioFlags(f)
	f.StringVar(&s.json, "json", "", "`file` for all measurements, as JSON; - is standard output")
	f.StringVar(&s.csv, "csv", "", "`file` for a CSV line per second; intervals are a tenth in short runs, or longer so that each has five broadcasts; - is standard output")
	f.StringVar(&s.html, "html", "", "`file` for a self-contained page with charts; - is standard output")
	return f
}

func (s *settings) targetFlags(f *flag.FlagSet) {
	f.StringVar(&s.url, "url", "ws://localhost:3001",
		"`address` of the service, ws:// or wss://, with query parameters if it needs any; reports omit their values")
	f.Var(&s.header, "header", "a header for each handshake, as in `\"Name: value\"`; can be repeated")
	f.StringVar(&s.token, "token", "", "`token` for the header \"Authorization: Bearer token\"")
	f.Float64Var(&s.connectRate, "connect-rate", 0,
		"maximum of new connections a second, 0 for no limit; by default 500, which API Gateway accepts, or 5000 to this machine")
	f.StringVar(&s.protocol, "protocol", string(wire.Service),
		"`name` of the protocol that the server speaks: "+protocolNames+"; with echo, the server passes each frame on unchanged to everyone, broadcasts are frames of messages, and are accepted when their sender gets them back; with centrifuge, it speaks the JSON protocol of centrifugal/centrifuge, subscribes each client to the channel all, and accepts a broadcast by answering it")
	f.IntVar(&s.pid, "pid", 0,
		"`process` id of the server on this machine, to report its CPU and memory, including its children; 0 for none")
	f.DurationVar(&s.connectTimeout, "connect-timeout", 10*time.Second, "how long connecting one client can take")
}

func (s *settings) loadFlags(f *flag.FlagSet) {
	f.StringVar(&s.scenario, "scenario", steady.name, "`name` of the scenario: "+scenarioNames())
	f.IntVar(&s.clients, "clients", 100, "how many clients connect")
	f.IntVar(&s.senders, "senders", 1, "how many of them send, taking turns")
	f.IntVar(&s.broadcasts, "broadcasts", 100, "how many broadcasts are sent in total")
	f.Float64Var(&s.rate, "rate", 10,
		"broadcasts a second, on a schedule that waits for nothing; in a ramp, the rate of the first step")
	f.IntVar(&s.size, "size", 100, fmt.Sprintf("size of a broadcast's content in `bytes`, %d to %d", wire.MinSize, wire.MaxSize))
	f.DurationVar(&s.drain, "drain", 10*time.Second,
		"how long to wait at the end for replies and deliveries; less if nothing is missing")
}

func (s *settings) scenarioFlags(f *flag.FlagSet) {
	f.IntVar(&s.outstanding, "outstanding", 0,
		"how many broadcasts can be unanswered, over all senders, by default 100 or one per sender: enough to keep the service busy while a reply travels, and few enough not to measure a queue of our own making")
	f.Float64Var(&s.rampFactor, "ramp-factor", 1.5, "by how much each step multiplies the rate")
	f.DurationVar(&s.rampStep, "ramp-step", 5*time.Second, "how long a step takes")
	f.IntVar(&s.rampSteps, "ramp-steps", 20, "maximum number of steps")
	f.DurationVar(&s.p99Bound, "p99-bound", 250*time.Millisecond,
		"end the ramp when the p99 of a step, from the schedule, is above this")
	f.Float64Var(&s.churnShare, "churn-share", 0.2, "the share of the clients that leave and return, 0 to 1")
	f.DurationVar(&s.churnStay, "churn-stay", 10*time.Second,
		"how long they stay on average; each time it is between half of that and one and a half")
	f.DurationVar(&s.churnAway, "churn-away", time.Second, "how long they are away on average, likewise")
	f.DurationVar(&s.grace, "grace", 5*time.Second,
		"a broadcast accepted this long before a client left must have reached it, or is lost")
	f.Float64Var(&s.slowShare, "slow-share", 0.1, "the share of the clients that read slowly, 0 to 1")
	f.IntVar(&s.slowSpeed, "slow-speed", 1000, "`bytes` a second that each of them reads, until sending is over")
	f.Float64Var(&s.resumeShare, "resume-share", 0.1,
		"the share of the clients, without the senders, that is cut each time, 0 to 1; they are chosen at random")
	f.DurationVar(&s.resumeEvery, "resume-every", 5*time.Second, "how often clients are cut, until sending is over")
	f.DurationVar(&s.resumeAway, "resume-away", time.Second,
		"how long they are away on average; each time it is between half of that and one and a half")
}

// parse reads the settings. With -help it prints all of them and returns
// flag.ErrHelp.
func parse(args []string, help io.Writer) (settings, error) {
	var s settings
	f := s.flags()
	require(f)
	err := flags.Parse(f, args)
	if errors.Is(err, flag.ErrHelp) {
		describe(help, new(settings).flags())
	}
	if err == nil {
		err = s.resolve(f)
	}
	if err == nil {
		err = s.check(f)
	}
	if err == nil {
		err = s.chosen.checkFlags(f)
	}
	return s, err
}

// resolve looks up what the settings name, and fills in defaults.
func (s *settings) resolve(f *flag.FlagSet) (err error) {
	if s.target, err = url.Parse(s.url); err != nil {
		return fmt.Errorf("invalid value for -url: %w", err)
	}
	s.chosen, _ = scenarioOf(s.scenario)
	if !given(f, "connect-rate") {
		s.connectRate = connectRateAway
		if loopback(s.target.Hostname()) {
			s.connectRate = connectRateLoopback
		}
	}
	if !given(f, "outstanding") {
		s.outstanding = max(mostOutstanding, s.senders)
	}
	if s.token != "" {
		s.header.set("Authorization", "Bearer "+s.token)
	}
	return nil
}

func given(f *flag.FlagSet, name string) (found bool) {
	f.Visit(func(one *flag.Flag) { found = found || one.Name == name })
	return found
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// headers are the values of -header.
type headers struct{ http.Header }

// String implements flag.Value.
func (h headers) String() string { return "" }

// Set adds a header.
func (h *headers) Set(text string) error {
	name, value, ok := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
		return errors.New(`want "Name: value"`)
	}
	if h.Header == nil {
		h.Header = http.Header{}
	}
	h.Add(name, value)
	return nil
}

func (h *headers) set(name, value string) {
	if h.Header == nil {
		h.Header = http.Header{}
	}
	h.Header.Set(name, value)
}
