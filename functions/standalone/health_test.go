package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A service that answers is healthy, whatever address it listens on and whatever proxy
// the environment names.
func TestHealthIsWhatPingAnswers(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ping" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	if err := checkHealth(address); err != nil {
		t.Error(err)
	}
	status = http.StatusBadGateway
	if err := checkHealth(address); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("error %v", err)
	}
	server.Close()
	if err := checkHealth(address); err == nil {
		t.Error("healthy although nothing is listening")
	}
}

func TestHealthReachesAnUnspecifiedAddress(t *testing.T) {
	for address, want := range map[string]string{
		":3000": "localhost:3000", "0.0.0.0:3000": "localhost:3000", "[::]:3000": "localhost:3000",
		"localhost:3000": "localhost:3000", "127.0.0.2:3000": "127.0.0.2:3000", "[::1]:80": "[::1]:80",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s is reached at %s, want %s", address, got, want)
		}
	}
}

// -health reads the address as the service does: from its flag or its variable.
func TestHealthFlag(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	var out strings.Builder
	if code := run(t.Context(), []string{"-health"}, []string{"SWS_HTTP_ADDR=127.0.0.1:" + port}, &out, &out); code != exitOK || out.String() != "healthy\n" {
		t.Errorf("exit status %d: %s", code, out.String())
	}
	server.Close()
	out.Reset()
	code := run(t.Context(), []string{"-health", "-http-addr", "127.0.0.1:" + port}, nil, &out, &out)
	if code != exitFailed || !strings.HasPrefix(out.String(), "standalone: ") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("exit status %d: %s", code, out.String())
	}
}
