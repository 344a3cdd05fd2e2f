package wsgateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"serverless-websocket/ports"
)

// handshake sends a handshake with the changes applied, and returns the answer.
func handshake(t *testing.T, s *server, path string, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(s.url, "ws")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	change(r)
	return roundTripNoUpgrade(t, r)
}

func roundTripNoUpgrade(t *testing.T, r *http.Request) (int, http.Header, string) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, resp.Header, ""
	}
	var body strings.Builder
	buffer := make([]byte, 1000)
	for {
		n, err := resp.Body.Read(buffer)
		body.Write(buffer[:n])
		if err != nil {
			return resp.StatusCode, resp.Header, body.String()
		}
	}
}

func TestHandshake(t *testing.T) {
	s := serve(t, Config{Stage: "prod"})
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, test := range []struct {
		name, path string
		change     func(*http.Request)
		status     int
	}{
		{"root", "", set("X", "y"), 101},
		{"root with slash", "/", set("X", "y"), 101},
		{"stage", "/prod", set("X", "y"), 101},
		{"stage with slash", "/prod/?a=b", set("X", "y"), 101},
		{"other stage", "/dev", set("X", "y"), 403},
		{"below the stage", "/prod/x", set("X", "y"), 403},
		{"two slashes", "//", set("X", "y"), 403},
		{"post", "/", func(r *http.Request) { r.Method = http.MethodPost }, 405},
		{"plain", "/", func(r *http.Request) { r.Header = http.Header{} }, 426},
		{"other protocol", "/", set("Upgrade", "h2c"), 426},
		{"no connection token", "/", set("Connection", "close"), 426},
		{"old version", "/", set("Sec-WebSocket-Version", "8"), 426},
		{"no key", "/", set("Sec-WebSocket-Key", ""), 400},
		{"short key", "/", set("Sec-WebSocket-Key", "abc"), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, body := handshake(t, s, test.path, test.change)
			if status != test.status {
				t.Fatalf("status %d, body %q", status, body)
			}
			if status == 403 && strings.TrimSpace(body) != `{"message":"Forbidden"}` {
				t.Errorf("body %q", body)
			}
			if status != 101 && len(s.connected) != 0 {
				t.Error("$connect was invoked")
			}
			for len(s.connected) > 0 {
				<-s.connected
			}
		})
	}
}

func TestConnectDecides(t *testing.T) {
	for _, test := range []struct {
		name       string
		connect    Integration
		status     int
		body, part string
	}{
		{"200", answer(200, "Connect successful."), 101, "", ""},
		{"204", answer(204, ""), 101, "", ""},
		{"401", answer(401, "who are you"), 401, "who are you", ""},
		{"302", answer(302, ""), 302, "", ""},
		{"503", answer(503, "later"), 503, "later", ""},
		{"no status", answer(0, "x"), 502, "", `"message":"Internal server error"`},
		{"100", answer(100, "x"), 502, "", `"message":"Internal server error"`},
		{"1000", answer(1000, "x"), 502, "", `"message":"Internal server error"`},
		{"error", func(context.Context, event) (response, error) { return response{}, errors.New("secret") }, 502, "", `"message":"Internal server error"`},
		{"panic", func(context.Context, event) (response, error) { panic("secret") }, 502, "", `"message":"Internal server error"`},
		{"timeout", func(ctx context.Context, _ event) (response, error) {
			<-ctx.Done()
			return response{StatusCode: 200}, nil
		}, 502, "", `"message":"Internal server error"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := Config{MaxConnections: 1, Routes: map[string]Route{connectRoute: {Integration: test.connect}}}
			if test.name == "timeout" {
				cfg.IntegrationTimeout = 50 * time.Millisecond
			}
			s := serve(t, cfg)
			for range 2 { // a failed handshake frees its slot
				status, _, body := handshake(t, s, "/", func(*http.Request) {})
				if status != test.status || test.body != "" && body != test.body || !strings.Contains(body, test.part) {
					t.Fatalf("status %d, body %q", status, body)
				}
				if strings.Contains(body, "secret") {
					t.Fatalf("body %q reveals the error", body)
				}
				if status == 101 {
					await(t, s.gone) // the test's HTTP client has closed the socket
					continue
				}
				if len(s.gone) != 0 {
					t.Fatal("$disconnect without a connection")
				}
			}
		})
	}
}

func TestInternalErrorNamesTheRequest(t *testing.T) {
	s := serve(t, Config{Routes: map[string]Route{connectRoute: {Integration: answer(0, "")}}})
	_, _, body := handshake(t, s, "/", func(*http.Request) {})
	var message gatewayMessage
	if err := json.Unmarshal([]byte(body), &message); err != nil || message.ConnectionID == "" || message.RequestID == "" {
		t.Fatalf("body %q: %v", body, err)
	}
}

func TestSubprotocolIsEchoed(t *testing.T) {
	for name, headers := range map[string]response{
		"single": {StatusCode: 200, Headers: map[string]string{"sec-websocket-protocol": "chat"}},
		"multi":  {StatusCode: 200, MultiValueHeaders: map[string][]string{"Sec-WebSocket-Protocol": {"chat"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Config{Routes: map[string]Route{connectRoute: {
				Integration: func(context.Context, event) (response, error) { return headers, nil },
			}}})
			c, _, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{Subprotocols: []string{"chat", "token"}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if c.Subprotocol() != "chat" {
				t.Errorf("subprotocol %q", c.Subprotocol())
			}
		})
	}
}

func TestPostBeforeOpenIsGone(t *testing.T) {
	var s *server
	early := make(chan error, 1)
	s = serve(t, Config{Routes: map[string]Route{connectRoute: {
		Integration: func(_ context.Context, e event) (response, error) {
			early <- s.tryPost(t, e.RequestContext.ConnectionID, "early")
			s.connected <- e
			return response{StatusCode: 200}, nil
		},
	}}})
	c := s.dial(t)
	if err := await(t, early); !errors.Is(err, ports.ErrGone) {
		t.Fatalf("post from $connect: %v", err)
	}
	s.post(t, c.id, "now")
	c.expect("now")
}

func TestConnectionLimit(t *testing.T) {
	s := serve(t, Config{MaxConnections: 2})
	s.dial(t)
	c := s.dial(t)
	if status, _, _ := handshake(t, s, "/", func(*http.Request) {}); status != 503 {
		t.Fatalf("status %d", status)
	}
	c.Close(websocket.StatusNormalClosure, "")
	await(t, s.gone)
	s.dial(t)
}

func TestSettings(t *testing.T) {
	if _, err := New(Config{}); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for name, cfg := range map[string]Config{
		"stage":         {Stage: "a/b"},
		"integration":   {Routes: map[string]Route{"x": {}}},
		"route name":    {Routes: map[string]Route{"": {Integration: echo}}},
		"limit":         {FrameLimit: -1},
		"backlog":       {Backlog: -1},
		"duration":      {CloseTimeout: -1},
		"message limit": {MessageLimit: 128<<10 + 1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("bad %s: no error", name)
		}
	}
}
