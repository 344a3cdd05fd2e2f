package blackbox

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// flagNames are all flags. Each has an environment variable.
var flagNames = []string{
	"ws-addr", "http-addr", "management-addr", "stage", "max-connections", "idle-timeout", "lifetime",
	"send-buffer", "backlog", "write-timeout", "drain-timeout", "queue-bytes", "history-days", "history-bytes", "data", "log-level", "log-format",
}

func twin(flagName string) string {
	return "SWS_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// finish runs a command that must end by itself.
func finish(t *testing.T, cmd *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	code = testenv.Start(t, cmd).Wait(t, patience)
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"--help", "-h"} {
		code, stdout, stderr := finish(t, command(t, flag))
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
		for _, name := range flagNames {
			for _, want := range []string{"-" + name, twin(name)} {
				if !strings.Contains(stdout, want) {
					t.Errorf("%s does not mention %s", flag, want)
				}
			}
		}
		for _, value := range []string{"localhost:3001", "localhost:3000", "localhost:3002", "dev", "10m0s", "2h0m0s", "auto", "INFO", "-version"} {
			if !strings.Contains(stdout, value) {
				t.Errorf("%s does not mention the default %s", flag, value)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := finish(t, command(t, "--version"))
	if code != 0 || stderr != "" || !regexp.MustCompile(`^standalone \S+, go1\.\S+\n$`).MatchString(stdout) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	logs, all := startStandalone(t).logs, func(entry) bool { return true }
	want := strings.TrimSuffix(strings.TrimPrefix(stdout, "standalone "), "\n")
	logs.await(t, "started", "version", want)
	if first := logs.find(all)[0]; first.text("msg") != "started" {
		t.Errorf("the log begins with %v, want the version", first)
	}
}

func TestWrongSettings(t *testing.T) {
	for _, row := range []struct {
		args, env []string
		says      string
	}{
		{args: []string{"-no-such-flag"}, says: "unknown flag -no-such-flag; see --help"},
		{args: []string{"-http-adr", ":1"}, says: "unknown flag -http-adr; did you mean -http-addr?; see --help"},
		{args: []string{"-http-addr", "3010"}, says: `invalid value "3010" for flag -http-addr: want host:port, such as :3010; see --help`},
		{args: []string{"-idle-timeout", "10"}, says: `invalid value "10" for flag -idle-timeout: want a duration such as 10s, above 0; see --help`},
		{args: []string{"-send-buffer", "-1"}, says: `invalid value "-1" for flag -send-buffer: want a whole number, 1 or more; see --help`},
		{args: []string{"-log-level", "loud"}, says: `invalid value "loud" for flag -log-level: want debug, info, warn or error; see --help`},
		{args: []string{"-log-format", "xml"}, says: `invalid value "xml" for flag -log-format: want auto, text or json; see --help`},
		{args: []string{"stray"}, says: `unexpected argument "stray"; see --help`},
		{env: []string{"SWS_LIFETIME=2"}, says: `invalid value "2" for SWS_LIFETIME: want a duration such as 2s, above 0; see --help`},
	} {
		cmd := command(t, row.args...)
		cmd.Env = append(cmd.Env, row.env...)
		code, stdout, stderr := finish(t, cmd)
		if code != 2 || stdout != "" || stderr != "standalone: "+row.says+"\n" {
			t.Errorf("%v %v: exit code %d, stdout %q, stderr %q; want 2, nothing and %q", row.args, row.env, code, stdout, stderr, row.says)
		}
	}
}

// A variable that looks like a setting but is not causes a warning and does not keep the
// service from starting.
func TestStrayVariable(t *testing.T) {
	cmd := command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "")
	cmd.Env = append(cmd.Env, "SWS_IDLE_TIMEOT=10s", "SWS_PORT=tcp://10.0.0.1:3001")
	s := launch(t, cmd)
	for _, want := range []string{"SWS_IDLE_TIMEOT is not a setting; did you mean SWS_IDLE_TIMEOUT?", "SWS_PORT is not a setting"} {
		s.logs.await(t, want, "level", "WARN")
	}
	cmd = command(t, "-ws-addr", strings.TrimPrefix(s.webSocketURL, "ws://"))
	cmd.Env = append(cmd.Env, "SWS_WS_ADR=:0")
	if code, _, stderr := finish(t, cmd); code != 1 || !strings.Contains(stderr, "did you mean SWS_WS_ADDR?") {
		t.Errorf("exit code %d, stderr %q: it does not say why its address is in use", code, stderr)
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, name := range []string{"ws-addr", "http-addr", "management-addr"} {
		args := []string{"-ws-addr=127.0.0.1:0", "-http-addr=127.0.0.1:0", "-management-addr=127.0.0.1:0"}
		args = append(args, "-"+name, taken.Addr().String())
		code, stdout, stderr := finish(t, command(t, args...))
		if code != 1 || stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q; want 1 and nothing", name, code, stdout)
		}
		wantOneLine(t, stderr, taken.Addr().String()+" is in use")
		wantOneLine(t, stderr, "choose another with -"+name)
		wantOneLine(t, stderr, twin(name))
	}
}

func wantOneLine(t *testing.T, stderr, names string) {
	t.Helper()
	if strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") || !strings.Contains(stderr, names) {
		t.Errorf("stderr %q, want one line that names %s", stderr, names)
	}
}

func TestEnvironmentTwins(t *testing.T) {
	cmd := command(t, "-stage", "flag")
	cmd.Env = append(cmd.Env,
		"SWS_WS_ADDR=localhost:0", "SWS_HTTP_ADDR=127.0.0.1:0", "SWS_MANAGEMENT_ADDR=127.0.0.1:0",
		"SWS_STAGE=environment", "SWS_MAX_CONNECTIONS=1", "SWS_LOG_LEVEL=debug")
	s := launch(t, cmd)
	if u, err := url.Parse(s.managementEndpoint); err != nil || u.Path != "/flag" {
		t.Errorf("management endpoint %s: a flag must override its variable", s.managementEndpoint)
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(s.webSocketURL, "ws://"), ":"); host != "localhost" {
		t.Errorf("WebSocket at %s, want localhost", s.webSocketURL)
	}
	dial(t, s.target)
	if _, err := tryDial(t, s.target); err == nil {
		t.Error("two clients although the maximum is one")
	}
}

func TestIdleTimeoutFromTheEnvironment(t *testing.T) {
	cmd := command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "SWS_IDLE_TIMEOUT=300ms")
	if code := dial(t, launch(t, cmd).target).awaitClose(); code != websocket.StatusGoingAway {
		t.Errorf("idle client closed with %d, want 1001", code)
	}
}

func TestManagementTurnedOff(t *testing.T) {
	s := startStandalone(t, "-management-addr", "")
	if s.managementEndpoint != "" {
		t.Errorf("it is at %s", s.managementEndpoint)
	}
	for _, base := range []string{s.httpURL, "http" + strings.TrimPrefix(s.webSocketURL, "ws")} {
		response, err := http.Get(base + "/dev/@connections/abc=")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode < 400 || response.StatusCode == http.StatusGone {
			t.Errorf("%s answers for @connections with %d", base, response.StatusCode)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if a := dial(t, s.target).broadcast(`1`); a.ID == "" {
		t.Error("accepted without an id")
	}
}

func TestLifetime(t *testing.T) {
	s := startStandalone(t, "-lifetime", "300ms")
	if code := dial(t, s.target).awaitClose(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
}
