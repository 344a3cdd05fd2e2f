package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// settings are what can be set from outside.
type settings struct {
	wsAddr, httpAddr, managementAddr string
	stage                            string
	maxConnections                   int
	idleTimeout, lifetime            time.Duration
	sendBuffer, backlog              int
	writeTimeout, drainTimeout       time.Duration
	queueBytes                       int
	logLevel, logFormat              string
}

const envPrefix = "SWS_"

// stageName is what API Gateway takes for the name of a stage.
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (s *settings) flags() *flag.FlagSet {
	f := flag.NewFlagSet("standalone", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are returned, and usage has its own format
	f.StringVar(&s.wsAddr, "ws-addr", ":3001", "`address` for WebSocket clients")
	f.StringVar(&s.httpAddr, "http-addr", ":3000", "`address` for HTTP (GET /ping)")
	f.StringVar(&s.managementAddr, "management-addr", "localhost:3002",
		"`address` of the @connections API, which has no authentication: keep it private; empty turns it off")
	f.StringVar(&s.stage, "stage", "dev", "`name` of the stage, the first part of the URL paths")
	f.IntVar(&s.maxConnections, "max-connections", 50_000, "how many clients may be connected; more are answered 503")
	f.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "close a connection without frames for so long")
	f.DurationVar(&s.lifetime, "lifetime", 2*time.Hour, "close a connection this old")
	f.IntVar(&s.sendBuffer, "send-buffer", 256<<10, "`bytes` that may wait for one client before posts to it are throttled")
	f.IntVar(&s.backlog, "backlog", 8<<20, "drop a client to which this many `bytes` of posts were refused beyond those it took")
	f.DurationVar(&s.writeTimeout, "write-timeout", 30*time.Second, "drop a client that takes nothing for so long")
	f.DurationVar(&s.drainTimeout, "drain-timeout", 20*time.Second, "how long a graceful stop may take to deliver what was accepted; up to 21s more to close the sockets")
	f.IntVar(&s.queueBytes, "queue-bytes", 64<<20, "`bytes` of new jobs that may wait before messages are refused as unavailable; what slow clients are owed has four times that")
	f.StringVar(&s.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
	f.StringVar(&s.logFormat, "log-format", "auto", "text, json, or auto: `format` text on a terminal and json elsewhere")
	return f
}

// parse reads the settings: a flag wins over its environment twin, which wins
// over the default. With -help it prints all of them and returns flag.ErrHelp.
func parse(args []string, lookup func(string) (string, bool), help io.Writer) (settings, error) {
	var s settings
	f := s.flags()
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		s.flags().VisitAll(describe(help))
		return s, err
	}
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err == nil {
		err = fromEnvironment(f, lookup)
	}
	if err == nil {
		err = s.check()
	}
	return s, err
}

// fromEnvironment sets the flags that were not given from their twins.
func fromEnvironment(f *flag.FlagSet, lookup func(string) (string, bool)) (err error) {
	given := make(map[string]bool)
	f.Visit(func(one *flag.Flag) { given[one.Name] = true })
	f.VisitAll(func(one *flag.Flag) {
		value, ok := lookup(envName(one.Name))
		if !ok || given[one.Name] || err != nil {
			return
		}
		if e := f.Set(one.Name, value); e != nil {
			err = fmt.Errorf("invalid value %q for %s: %w", value, envName(one.Name), e)
		}
	})
	return err
}

func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// describe returns a function that prints a flag, its twin and its default.
func describe(w io.Writer) func(*flag.Flag) {
	fmt.Fprint(w, "Usage: standalone [flags]\n\nBroadcasts messages to all connected WebSocket clients.\n"+
		"Each flag can be set by the environment variable behind it; the flag wins.\n\n")
	return func(one *flag.Flag) {
		value, usage := flag.UnquoteUsage(one)
		fmt.Fprintf(w, "  -%s %s  (%s)\n        %s (default %q)\n", one.Name, value, envName(one.Name), usage, one.DefValue)
	}
}

// check refuses what no part of the service could work with.
func (s settings) check() error {
	checks := []struct {
		flag string
		ok   bool
	}{
		{"ws-addr", s.wsAddr != ""},
		{"http-addr", s.httpAddr != ""},
		{"stage", stageName.MatchString(s.stage)},
		{"max-connections", s.maxConnections > 0},
		{"idle-timeout", s.idleTimeout > 0},
		{"lifetime", s.lifetime > 0},
		{"send-buffer", s.sendBuffer > 0},
		{"backlog", s.backlog > 0},
		{"write-timeout", s.writeTimeout > 0},
		{"drain-timeout", s.drainTimeout > 0},
		{"queue-bytes", s.queueBytes > 0},
	}
	for _, c := range checks {
		if !c.ok {
			return fmt.Errorf("invalid value for -%s", c.flag)
		}
	}
	return nil
}
