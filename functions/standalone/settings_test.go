package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAFlagWinsOverItsTwinAndThatOverTheDefault(t *testing.T) {
	s, err := parse([]string{"-stage", "test"}, []string{"SWS_STAGE=prod", "SWS_IDLE_TIMEOUT=3s"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if s.stage != "test" || s.idleTimeout != 3*time.Second || s.lifetime != 2*time.Hour {
		t.Errorf("settings %+v", s)
	}
}

// The error shows a wrong value, its flag or variable, and what is allowed. Every setting
// has a row.
func TestWrongSettings(t *testing.T) {
	tested := map[string]bool{"jwt-secret": true, "jwks-url": true, "jwt-issuer": true, "jwt-audience": true, "data": true} // any text
	for _, test := range []struct{ name, value, want string }{
		{"ws-addr", "", "host:port, such as :3010"},
		{"ws-addr", "3001", "host:port, such as :3010"},
		{"http-addr", "localhost", "host:port, such as :3010"},
		{"http-addr", ":70000", "host:port, such as :3010"},
		{"http-addr", ":http", "host:port, such as :3010"},
		{"management-addr", "3002", "host:port, such as localhost:3012, or nothing to turn it off"},
		{"stage", "a.b", "only letters, digits, - and _"},
		{"origins", "example.com", "origins such as https://example.com, separated by commas, or *"},
		{"origins", "https://example.com/, *", "origins such as https://example.com, separated by commas, or *"},
		{"message-timeout", "1", "a duration such as 1s, above 0"},
		{"peer-timeout", "-1s", "a duration such as 10s, above 0"},
		{"max-connections", "-5", "a whole number, 1 or more"},
		{"max-rooms", "101", "a whole number, 1 to 100"},
		{"idle-timeout", "10", "a duration such as 10s, above 0"},
		{"lifetime", "soon", "a duration such as 10s, above 0"},
		{"lifetime", "-1s", "a duration such as 10s, above 0"},
		{"send-buffer", "0", "a whole number, 1 or more"},
		{"backlog", "8MB", "a whole number, 1 or more"},
		{"write-timeout", "0s", "a duration such as 10s, above 0"},
		{"drain-timeout", "7", "a duration such as 7s, above 0"},
		{"queue-bytes", "lots", "a whole number, 1 or more"},
		{"history-days", "366", "a whole number, 0 to 365"},
		{"history-bytes", "0", "a whole number, 1 or more"},
		{"auth", "yes", "none or jwt"},
		{"broadcast-by", "me", "anyone, users or nobody"},
		{"log-level", "loud", "debug, info, warn or error"},
		{"log-format", "xml", "auto, text or json"},
	} {
		tested[test.name] = true
		_, err := parse([]string{"-" + test.name, test.value}, nil, io.Discard)
		want := fmt.Sprintf("invalid value %q for flag -%s: want %s", test.value, test.name, test.want)
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		_, err = parse(nil, []string{envName(test.name) + "=" + test.value}, io.Discard)
		want = fmt.Sprintf("invalid value %q for %s: want %s", test.value, envName(test.name), test.want)
		if err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	new(settings).flags().VisitAll(func(one *flag.Flag) {
		if hasTwin(one) && !tested[one.Name] {
			t.Errorf("-%s is not tested", one.Name)
		}
	})
}

func TestUnknownFlags(t *testing.T) {
	for arg, want := range map[string]string{
		"-http-adr":     "unknown flag -http-adr; did you mean -http-addr?",
		"-no-such-flag": "unknown flag -no-such-flag",
		"extra":         `unexpected argument "extra"`,
	} {
		if _, err := parse([]string{arg}, nil, io.Discard); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", arg, err, want)
		}
	}
}

// -version is not a setting: it works whatever the settings are, and has no variable.
func TestVersionIsNoSetting(t *testing.T) {
	if s, err := parse([]string{"-version"}, []string{"SWS_LIFETIME=soon"}, io.Discard); err != nil || !s.version {
		t.Errorf("-version: %v, %v", s.version, err)
	}
	if s, err := parse(nil, []string{"SWS_VERSION=true"}, io.Discard); err != nil || s.version {
		t.Errorf("SWS_VERSION: %v, %v", s.version, err)
	}
}

func TestStrayVariables(t *testing.T) {
	got := strayVariables([]string{"SWS_STAGE=dev", "SWS_HTTP_ADR=:3010", "SWS_PORT_3001_TCP=tcp://10.0.0.1", "SWS_VERSION=1", "HOME=/"})
	want := []string{"SWS_HTTP_ADR is not a setting; did you mean SWS_HTTP_ADDR?", "SWS_PORT_3001_TCP is not a setting", "SWS_VERSION is not a setting"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHelpListsEveryFlagWithItsTwinAndDefault(t *testing.T) {
	var help bytes.Buffer
	s, err := parse([]string{"--help"}, []string{"SWS_LIFETIME=soon"}, &help)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(help.String(), version()) {
		t.Error("no version in the help")
	}
	s.flags().VisitAll(func(f *flag.Flag) {
		parts := []string{"  -" + f.Name + " ", envName(f.Name), f.DefValue}
		if !hasTwin(f) {
			parts = []string{"  -" + f.Name + "\n"}
		}
		for _, part := range parts {
			if !strings.Contains(help.String(), part) {
				t.Errorf("no %s in the help", part)
			}
		}
	})
}

func TestLogSettings(t *testing.T) {
	for format, want := range map[string]string{"auto": `{"time"`, "json": `{"time"`, "text": `time=`} {
		s, err := parse([]string{"-log-level", "warn", "-log-format", format}, nil, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		log, bounded := newLogger(s, &out)
		log.Info("quiet")
		log.Warn("heard")
		bounded.Close(time.Minute)
		if got := out.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "quiet") {
			t.Errorf("%s: %s", format, got)
		}
	}
}
