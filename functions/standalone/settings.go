package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strconv"
	"time"

	"serverless-websocket/adapters/flags"
	"serverless-websocket/domain/session"
	"serverless-websocket/functions/app"
)

// settings are the configuration of the service.
type settings struct {
	wsAddr, httpAddr, managementAddr string
	stage                            string
	maxConnections, maxRooms         int
	idleTimeout, lifetime            time.Duration
	origins                          string
	messageTimeout, peerTimeout      time.Duration
	sendBuffer, backlog              int
	writeTimeout, drainTimeout       time.Duration
	queueBytes                       int
	historyDays, historyBytes        int
	data                             string
	left                             string // the directory that is not used without history
	auth                             string
	jwtSecret, jwksURL               string
	jwtIssuer, jwtAudience           string
	broadcastBy                      string
	logLevel                         slog.Level
	logFormat                        string
	version, health                  bool
	underMake                        bool
}

// stageName matches stage names that API Gateway accepts.
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (s *settings) flags() *flag.FlagSet {
	f := flag.NewFlagSet("standalone", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are returned, and usage has its own format
	f.StringVar(&s.wsAddr, "ws-addr", "localhost:3001", "`address` for WebSocket clients; :3001 lets other machines connect")
	f.StringVar(&s.httpAddr, "http-addr", "localhost:3000", "`address` for HTTP (GET /ping)")
	f.StringVar(&s.managementAddr, "management-addr", "localhost:3002",
		"`address` of the @connections API, which has no authentication: keep it private; empty turns it off")
	f.StringVar(&s.stage, "stage", "dev", "`name` of the stage, the first part of the URL paths")
	f.StringVar(&s.origins, "origins", "", "`origins` whose pages may connect, separated by commas, such as https://example.com or https://*.example.com; * allows any, and an empty list only the service's own host")
	f.StringVar(&s.auth, "auth", authNone, "who can connect: `none` asks for nothing, jwt for a token in the header Authorization, in ?token= or after the subprotocol bearer")
	f.StringVar(&s.jwtSecret, "jwt-secret", "", "`secret` of tokens signed with HS256, at least 32 bytes; other users of this machine can see flags, so prefer the variable")
	f.StringVar(&s.jwksURL, "jwks-url", "", "`URL` of the key set for tokens signed with RS256, ES256 or EdDSA, instead of a secret")
	f.StringVar(&s.jwtIssuer, "jwt-issuer", "", "`issuer` that tokens must have; empty for any")
	f.StringVar(&s.jwtAudience, "jwt-audience", "", "`audience` that tokens must have; empty for any")
	f.StringVar(&s.broadcastBy, "broadcast-by", "anyone", "`who` may send to everyone, unless the token's scope decides: anyone, users or nobody")
	f.IntVar(&s.maxConnections, "max-connections", 50_000, "maximum number of clients; others get a 503")
	f.IntVar(&s.maxRooms, "max-rooms", session.DefaultMaxRooms, "maximum number of rooms that a connection can be in")
	f.DurationVar(&s.idleTimeout, "idle-timeout", 10*time.Minute, "close a connection after this long without frames")
	f.DurationVar(&s.lifetime, "lifetime", 2*time.Hour, "close a connection this old")
	f.DurationVar(&s.messageTimeout, "message-timeout", 30*time.Second, "how long a client can take to send a message")
	f.DurationVar(&s.peerTimeout, "peer-timeout", 45*time.Second, "drop a client whose host has acknowledged nothing for this long")
	f.IntVar(&s.sendBuffer, "send-buffer", 256<<10, "stop reading from a client when this many `bytes` are waiting for it")
	f.IntVar(&s.backlog, "backlog", 8<<20, "drop a client when more than this many `bytes` are waiting for it")
	f.DurationVar(&s.writeTimeout, "write-timeout", 30*time.Second, "drop a client that takes nothing for this long")
	f.DurationVar(&s.drainTimeout, "drain-timeout", 20*time.Second, "how long a graceful stop can take to deliver accepted messages; closing the sockets takes up to 21s more")
	f.IntVar(&s.queueBytes, "queue-bytes", 64<<20, "refuse messages as unavailable when this many `bytes` of new jobs are waiting")
	f.IntVar(&s.historyDays, "history-days", 7, "for how many `days` messages are kept for clients that resume or load them; 0 keeps none, and uses no -data")
	f.IntVar(&s.historyBytes, "history-bytes", 256<<20, "keep at most this many `bytes` of messages if they are in memory, with -data=''")
	f.StringVar(&s.data, "data", "data", "`directory` for messages and accepted jobs, which survive a crash there; it is made if it does not exist; empty keeps all in memory")
	f.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "minimum log `level`: debug, info, warn or error")
	f.StringVar(&s.logFormat, "log-format", "auto", "log `format`: text, json, or auto, which is text on a terminal and json elsewhere")
	f.BoolVar(&s.version, "version", false, "print the version and exit")
	f.BoolVar(&s.health, "health", false, "check that the service at http-addr answers, and exit with status 0 if it does, otherwise 1")
	return f
}

// require makes the flags refuse values that the service cannot work with.
func require(f *flag.FlagSet) {
	for _, name := range []string{"ws-addr", "http-addr"} {
		flags.Require(f, name, "host:port, such as :3010", isAddress)
	}
	flags.Require(f, "management-addr", "host:port, such as localhost:3012, or nothing to turn it off",
		func(text string) bool { return text == "" || isAddress(text) })
	flags.Require(f, "stage", "only letters, digits, - and _", stageName.MatchString)
	flags.Require(f, "origins", "origins such as https://example.com, separated by commas, or *",
		func(text string) bool { return app.Origins(text).Validate() == nil })
	for _, name := range []string{"idle-timeout", "lifetime", "message-timeout", "peer-timeout", "write-timeout", "drain-timeout"} {
		flags.Require(f, name, "above 0", flags.Positive[time.Duration])
	}
	for _, name := range []string{"max-connections", "send-buffer", "backlog", "queue-bytes", "history-bytes"} {
		flags.Require(f, name, "1 or more", flags.Positive[int])
	}
	flags.Require(f, "max-rooms", "1 to 100", func(rooms int) bool { return 1 <= rooms && rooms <= 100 })
	flags.Require(f, "history-days", "0 to 365", func(days int) bool { return 0 <= days && days <= 365 })
	flags.Require(f, "auth", "none or jwt", func(text string) bool { return slices.Contains([]string{authNone, authJWT}, text) })
	flags.Require(f, "broadcast-by", "anyone, users or nobody", func(text string) bool { _, err := app.Policy(text); return err == nil })
	flags.Require(f, "log-level", "debug, info, warn or error", func(*slog.Level) bool { return true })
	flags.Require(f, "log-format", "auto, text or json",
		func(text string) bool { return slices.Contains([]string{"auto", "text", "json"}, text) })
}

// isAddress reports whether the text is a well-formed address to listen on. It does not
// check whether the host exists.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// parse reads the settings: a flag overrides its environment variable, which overrides
// the default. With -help it prints all of them and returns flag.ErrHelp.
func parse(args, environ []string, help io.Writer) (settings, error) {
	env := variables(environ)
	s := settings{underMake: env["MAKELEVEL"] != ""}
	f := s.flags()
	require(f)
	err := flags.Parse(f, args)
	if errors.Is(err, flag.ErrHelp) {
		describe(help, new(settings).flags())
	}
	if err == nil && !s.version {
		err = fromEnvironment(f, env)
	}
	if s.historyDays == 0 && !given(f)["data"] {
		s.left, s.data = s.data, "" // the default is for messages that are kept
	}
	return s, err
}

// describe prints each flag with its environment variable and its default.
func describe(w io.Writer, f *flag.FlagSet) {
	fmt.Fprint(w, "Usage: standalone [flags]\n\nBroadcasts messages to all connected WebSocket clients.\n"+
		"Version: ", version(), "\n\n"+
		"Each flag can also be set with the environment variable next to it; the flag takes precedence.\n\n")
	f.VisitAll(func(one *flag.Flag) {
		value, usage := flag.UnquoteUsage(one)
		if hasTwin(one) {
			fmt.Fprintf(w, "  -%s %s  (%s)\n        %s (default %q)\n", one.Name, value, envName(one.Name), usage, one.DefValue)
		} else {
			fmt.Fprintf(w, "  -%s\n        %s\n", one.Name, usage)
		}
	})
}
