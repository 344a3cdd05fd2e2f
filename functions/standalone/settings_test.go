package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

func TestAFlagWinsOverItsTwinAndThatOverTheDefault(t *testing.T) {
	twins := environment(map[string]string{"SWS_STAGE": "prod", "SWS_IDLE_TIMEOUT": "3s"})
	s, err := parse([]string{"-stage", "test"}, twins, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if s.stage != "test" || s.idleTimeout != 3*time.Second || s.lifetime != 2*time.Hour {
		t.Errorf("settings %+v", s)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for _, test := range []struct {
		args []string
		env  map[string]string
		want string
	}{
		{args: []string{"-no-such-flag"}, want: "no-such-flag"},
		{args: []string{"-lifetime", "soon"}, want: "lifetime"},
		{args: []string{"-lifetime", "-1s"}, want: "lifetime"},
		{args: []string{"-send-buffer", "0"}, want: "send-buffer"},
		{args: []string{"-stage", "a.b"}, want: "stage"},
		{args: []string{"-ws-addr", ""}, want: "ws-addr"},
		{args: []string{"extra"}, want: "extra"},
		{env: map[string]string{"SWS_QUEUE_BYTES": "lots"}, want: "SWS_QUEUE_BYTES"},
		{env: map[string]string{"SWS_MAX_CONNECTIONS": "-5"}, want: "max-connections"},
	} {
		_, err := parse(test.args, environment(test.env), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v %v: error %q, want one line with %s", test.args, test.env, err, test.want)
		}
	}
}

func TestHelpListsEveryFlagWithItsTwinAndDefault(t *testing.T) {
	var help bytes.Buffer
	s, err := parse([]string{"--help"}, environment(map[string]string{"SWS_LIFETIME": "soon"}), &help)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error %v", err)
	}
	s.flags().VisitAll(func(f *flag.Flag) {
		for _, part := range []string{"-" + f.Name + " ", envName(f.Name), f.DefValue} {
			if !strings.Contains(help.String(), part) {
				t.Errorf("no %s in the help", part)
			}
		}
	})
}

func TestLogSettings(t *testing.T) {
	for _, bad := range []settings{{logLevel: "loud", logFormat: "json"}, {logLevel: "info", logFormat: "xml"}} {
		if _, err := newLogger(bad, io.Discard); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	for format, want := range map[string]string{"auto": `{"time"`, "json": `{"time"`, "text": `time=`} {
		var out bytes.Buffer
		log, err := newLogger(settings{logLevel: "warn", logFormat: format}, &out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("quiet")
		log.Warn("heard")
		if got := out.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "quiet") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestAddressesForPeople(t *testing.T) {
	bound := &net.TCPAddr{IP: net.IPv6unspecified, Port: 4567}
	for address, want := range map[string]string{
		":0": "localhost:4567", "localhost:0": "localhost:4567", "127.0.0.1:0": "127.0.0.1:4567", "[::1]:0": "[::1]:4567",
	} {
		if got := public(address, bound); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
