package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// startStandalone starts the service and returns its address.
func startStandalone(t *testing.T, args ...string) string {
	t.Helper()
	cmd := program(t, "standalone", append(args, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0",
		"-management-addr", "", "-log-level", "warn")...)
	cmd.Dir, cmd.Stderr = t.TempDir(), io.Discard // its data is there
	p := testenv.Start(t, cmd)
	const label = "WebSocket "
	testenv.Eventually(t, patience, "the service prints its address", func() bool { return strings.Contains(p.Output(), "Try it:") })
	line, _, _ := strings.Cut(p.Output(), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, label))
}

// generator is the built program, started.
type generator struct {
	process *testenv.Process
	json    string
}

func startGenerator(t *testing.T, cmd *exec.Cmd) *generator {
	t.Helper()
	g := &generator{json: filepath.Join(t.TempDir(), "report.json")}
	cmd.Args = append(cmd.Args, "-json", g.json)
	g.process = testenv.Start(t, cmd)
	return g
}

func (g *generator) finish(t *testing.T) result {
	t.Helper()
	status := g.process.Wait(t, patience)
	return finished(t, status, g.process.Output(), g.process.Output(), g.json)
}

// Each scenario, small, against the real service.
func TestStandalone(t *testing.T) {
	t.Parallel()
	for scenario, args := range map[string][]string{
		"steady": {"-clients", "200", "-broadcasts", "50", "-rate", "50", "-size", "3000", "-senders", "3"},
		"burst":  {"-clients", "200", "-broadcasts", "1000"},
		"ramp":   {"-clients", "50", "-rate", "20", "-ramp-step", "300ms", "-ramp-steps", "3", "-p99-bound", "1m"},
		"churn":  {"-clients", "100", "-broadcasts", "40", "-rate", "20", "-churn-stay", "300ms", "-churn-away", "100ms", "-grace", "1m"},
		"slow":   {"-clients", "50", "-broadcasts", "100", "-rate", "100", "-slow-share", "0.5", "-slow-speed", "2000"},
		"flood":  {"-clients", "50", "-broadcasts", "50", "-rate", "50"},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			page := filepath.Join(t.TempDir(), "report.html")
			args = slices.Concat([]string{"-url", startStandalone(t), "-scenario", scenario, "-html", page}, inTime, args)
			r := startGenerator(t, program(t, "load", args...)).finish(t)
			b, d := r.Broadcasts, r.Deliveries
			if r.status != exitOK || b.Accepted != b.Scheduled || b.Accepted == 0 || d.Lost+d.Duplicated+d.OutOfOrder+d.Unreadable != 0 {
				t.Errorf("status %d, %+v, %+v\n%s", r.status, b, d, r.stdout)
			}
			if all := r.Settings.Clients * b.Accepted; d.Delivered+d.MissedAway < all {
				t.Errorf("%d delivered and %d missed of %d", d.Delivered, d.MissedAway, all)
			}
			checkScenario(t, r)
			if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "Nothing was lost.") {
				t.Errorf("the page: %v\n%s", err, html)
			}
		})
	}
}

// checkScenario checks what is specific to one scenario.
func checkScenario(t *testing.T, r result) {
	t.Helper()
	if churned := r.Connections.Reconnects > 0; churned != (r.Settings.Scenario == "churn") {
		t.Errorf("%d reconnects", r.Connections.Reconnects)
	}
	// They read 10 of 100 frames in the second of sending, and the rest afterwards.
	if r.Settings.Scenario == "slow" && (r.Deliveries.ToSlow != 2400 || r.SlowReaders.P50 < 300) {
		t.Errorf("%d to slow readers, p50 %v, of the others %v", r.Deliveries.ToSlow, r.SlowReaders.P50, r.FromSchedule.P50)
	}
	if flooded := r.Deliveries.Foreign > 0; flooded != (r.Settings.Scenario == "flood") || len(r.Connections.Closed) > 0 {
		t.Errorf("%d messages of others, %v", r.Deliveries.Foreign, r.Connections.Closed)
	}
	if r.Settings.Scenario == "ramp" && len(r.Ramp.Steps) != 3 {
		t.Errorf("%+v", r.Ramp)
	}
	if perFrame := float64(r.Deliveries.Delivered) / float64(r.Deliveries.Frames); r.Settings.Scenario == "burst" && perFrame < 2 {
		t.Errorf("%v broadcasts a frame in a burst", perFrame)
	}
}

// Ctrl-C in the middle still yields a report.
func TestSignal(t *testing.T) {
	t.Parallel()
	csv, address := filepath.Join(t.TempDir(), "report.csv"), startStandalone(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	listener, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.CloseNow()
	g := startGenerator(t, program(t, "load", "-url", address, "-drain", "1m", "-clients", "20", "-broadcasts", "100000", "-rate", "100", "-csv", csv))
	if _, _, err := listener.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if err := g.process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r := g.finish(t)
	if r.status != exitOK || !r.Interrupted || r.Broadcasts.Sent == 0 || r.Deliveries.Delivered != 20*r.Broadcasts.Accepted {
		t.Errorf("status %d, %+v, %d delivered", r.status, r.Broadcasts, r.Deliveries.Delivered)
	}
	if lines, err := os.ReadFile(csv); err != nil || bytes.Count(lines, []byte("\n")) != len(r.Seconds)+1 {
		t.Errorf("%v in the CSV:\n%s", err, lines)
	}
}

// Over TLS, with what a gateway may require: a header, a token, and a query.
func TestTLS(t *testing.T) {
	t.Parallel()
	service, err := url.Parse(strings.Replace(startStandalone(t), "ws:", "http:", 1))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(service)
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-Stage") != "blue" || r.URL.Query().Get("room") != "7" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	front.StartTLS()
	defer front.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) result {
		address := strings.Replace(front.URL, "https:", "wss:", 1) + "/dev?room=7"
		cmd := program(t, "load", append([]string{"-url", address, "-clients", "20", "-broadcasts", "30", "-rate", "50", "-size", "20000"}, args...)...)
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+roots)
		return startGenerator(t, cmd).finish(t)
	}
	r := run("-token", "secret", "-header", "X-Stage: blue")
	if r.status != exitOK || r.Deliveries.Delivered != 600 || !strings.HasSuffix(r.Settings.URL, "/dev?room=…") {
		t.Errorf("status %d, %+v, %s\n%s", r.status, r.Deliveries, r.Settings.URL, r.stderr)
	}
	r = run("-token", "wrong", "-header", "X-Stage: blue")
	if r.status != exitFailed || r.Connections.Refused["HTTP 401"] != 1 || !strings.Contains(r.stderr, "who are you?") {
		t.Errorf("status %d, %v\n%s", r.status, r.Connections.Refused, r.stderr)
	}
}
