package wsgateway

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func (s *server) call(t *testing.T, method, id, body string) (int, http.Header, string) {
	t.Helper()
	return httpDo(t, method, s.management+"/@connections/"+id, body)
}

func TestManagementPost(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	for _, payload := range []string{"hello", "서버리스 👩‍👩‍👧‍👦 <&>", "", letters(128 << 10)} {
		status, header, body := s.call(t, "POST", url.QueryEscape(c.id), payload)
		if status != 200 || body != "" || header.Get("x-amzn-RequestId") == "" {
			t.Fatalf("status %d, body %q, headers %v", status, body, header)
		}
		c.expect(payload)
	}
}

func TestManagementIDNeedNotBeEncoded(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	if status, _, body := s.call(t, "POST", c.id, "x"); status != 200 {
		t.Fatalf("status %d, body %q", status, body)
	}
	c.expect("x")
}

func TestManagementGet(t *testing.T) {
	s := serve(t, Config{})
	before := time.Now().Truncate(time.Second) // the answer is rounded down
	c := s.dial(t)
	status, _, body := s.call(t, "GET", c.id, "")
	var info connectionInfo
	if err := json.Unmarshal([]byte(body), &info); status != 200 || err != nil {
		t.Fatalf("status %d, body %q: %v", status, body, err)
	}
	if info.ConnectedAt.Before(before) || info.ConnectedAt.After(time.Now()) || info.LastActiveAt.Before(info.ConnectedAt) ||
		info.Identity.SourceIP != "127.0.0.1" || info.Identity.UserAgent != "Go-http-client/1.1" {
		t.Errorf("got %s", body)
	}
	if !strings.Contains(body, `Z"`) {
		t.Errorf("times are not in UTC: %s", body)
	}
}

func TestManagementDelete(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	if status, _, body := s.call(t, "DELETE", c.id, ""); status != 204 || body != "" {
		t.Fatalf("status %d, body %q", status, body)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} { // even before the client has closed
		if status, _, _ := s.call(t, method, c.id, "x"); status != 410 {
			t.Errorf("%s after DELETE: status %d", method, status)
		}
	}
	c.expectClose(websocket.StatusNormalClosure, "Connection Closed Normally")
	s.expectGone(t, 1000, "Connection Closed Normally")
}

func TestManagementErrors(t *testing.T) {
	s := serve(t, Config{Stage: "prod", MessageLimit: 1000, FrameLimit: 1000})
	c := s.dial(t)
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		kind                     string
	}{
		{"malformed id", "POST", "/prod/@connections/abc", "x", 400, "BadRequestException"},
		{"no id", "POST", "/prod/@connections/", "x", 400, "BadRequestException"},
		{"id of another length", "POST", "/prod/@connections/AAAA", "x", 400, "BadRequestException"},
		{"below an id", "POST", "/prod/@connections/" + c.id + "/x", "x", 400, "BadRequestException"},
		{"not UTF-8", "POST", "/prod/@connections/" + c.id, "\xff", 400, "BadRequestException"},
		{"other stage", "POST", "/dev/@connections/" + c.id, "x", 403, "ForbiddenException"},
		{"id with a line feed", "POST", "/prod/@connections/" + c.id + "%0A", "x", 400, "BadRequestException"},
		{"id with a carriage return", "POST", "/prod/@connections/%0D" + c.id, "x", 400, "BadRequestException"},
		{"id with loose bits", "POST", "/prod/@connections/AAAAAAAAAAAAAAB=", "x", 400, "BadRequestException"},
		{"other path", "GET", "/", "", 403, "ForbiddenException"},
		{"method", "PUT", "/prod/@connections/" + c.id, "x", 405, "MethodNotAllowedException"},
		{"post to unknown", "POST", "/prod/@connections/" + newShortID(), "x", 410, "GoneException"},
		{"get unknown", "GET", "/prod/@connections/" + newShortID(), "", 410, "GoneException"},
		{"delete unknown", "DELETE", "/prod/@connections/" + newShortID(), "", 410, "GoneException"},
		{"too large", "POST", "/prod/@connections/" + c.id, letters(1001), 413, "PayloadTooLargeException"},
		{"largest", "POST", "/prod/@connections/" + c.id, letters(1000), 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := httpDo(t, test.method, strings.TrimSuffix(s.management, "/prod")+test.path, test.body)
			if status != test.status || header.Get("X-Amzn-ErrorType") != test.kind {
				t.Fatalf("status %d, error type %q, body %q", status, header.Get("X-Amzn-ErrorType"), body)
			}
			if status != 200 {
				message := expectErrorBody(t, header, body)
				if ours := strings.HasPrefix(test.path, "/prod/@connections/"); !ours && message.ConnectionID != "" {
					t.Errorf("connection id %q, but the path has none", message.ConnectionID)
				}
			}
		})
	}
}

func expectErrorBody(t *testing.T, header http.Header, body string) gatewayMessage {
	t.Helper()
	var message gatewayMessage
	if err := json.Unmarshal([]byte(body), &message); err != nil || message.Message == "" {
		t.Errorf("body %q: %v", body, err)
	}
	if message.RequestID == "" || message.RequestID != header.Get("x-amzn-RequestId") {
		t.Errorf("request id %q in the body, headers %v", message.RequestID, header)
	}
	return message
}

func TestManagementThrottles(t *testing.T) {
	s := serve(t, Config{})
	deaf := s.dialDeaf(t)
	status, header, body := 200, http.Header(nil), ""
	for status == 200 {
		status, header, body = s.call(t, "POST", deaf.id, letters(128<<10))
	}
	if status != 429 || header.Get("X-Amzn-ErrorType") != "LimitExceededException" {
		t.Fatalf("status %d, headers %v, body %q", status, header, body)
	}
	expectErrorBody(t, header, body)
	deaf.Close()
}

// Web pages cannot reach connections, not even through a name that resolves to this
// machine.
func TestManagementRefusesPages(t *testing.T) {
	s := serve(t, Config{})
	c := s.dial(t)
	for name, change := range map[string]func(*http.Request){
		"origin":      func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3002") },
		"foreign":     func(r *http.Request) { r.Host = "evil.example:3002" },
		"localhost":   func(r *http.Request) { r.Host = "localhost" },
		"loopback":    func(r *http.Request) { r.Host = "[::1]:3002" },
		"as it comes": func(*http.Request) {},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.management+"/@connections/"+c.id, strings.NewReader(name))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		status, _, _ := roundTrip(t, r)
		if name == "origin" || name == "foreign" {
			if status != 403 {
				t.Errorf("%s: status %d", name, status)
			}
			continue
		}
		if status != 200 {
			t.Errorf("%s: status %d", name, status)
		}
		c.expect(name)
	}
}
