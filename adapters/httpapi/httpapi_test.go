package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"serverless-websocket/adapters/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// serve serves the integration at GET and POST /things. Read the log only after closing
// the server.
func serve(t *testing.T, integration httpapi.Integration) (server *httptest.Server, log *bytes.Buffer) {
	t.Helper()
	log = new(bytes.Buffer)
	server = httptest.NewServer(httpapi.New(
		map[string]httpapi.Integration{"GET /things": integration, "POST /things": integration},
		slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	))
	t.Cleanup(server.Close)
	return server, log
}

// exchange writes the bytes of a request to its own socket and reads the response.
func exchange(t *testing.T, server *httptest.Server, text string) (status int, header http.Header, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	go io.WriteString(conn, text) // a server that refuses it may stop reading
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(read)
}

// eventOf returns the event created from a request.
func eventOf(t *testing.T, text string) (event request) {
	t.Helper()
	server, _ := serve(t, func(_ context.Context, e request) (response, error) {
		event = e
		return response{StatusCode: http.StatusNoContent}, nil
	})
	if status, _, body := exchange(t, server, text); status != http.StatusNoContent {
		t.Fatalf("%q was answered with %d, %s", text, status, body)
	}
	return event
}

func TestEvent(t *testing.T) {
	before := time.Now().UnixMilli()
	got := eventOf(t, "POST /things?a=1&a=2&b=%ED%95%9C&c HTTP/1.1\r\n"+
		"Host: api.example.com\r\nUser-Agent: a test\r\nX-Many: one\r\nx-many: two, three\r\n"+
		"Cookie: a=1; b=2\r\nCookie: c=3\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 9\r\n\r\n{\"한\":1}")
	context := got.RequestContext
	if len(context.RequestID) != 36 || context.TimeEpoch < before || context.TimeEpoch > time.Now().UnixMilli() {
		t.Errorf("request id %q, time %d", context.RequestID, context.TimeEpoch)
	}
	if at, err := time.Parse("02/Jan/2006:15:04:05 -0700", context.Time); err != nil || at.Unix() != context.TimeEpoch/1000 {
		t.Errorf("time %q: %v", context.Time, err)
	}
	got.RequestContext.RequestID, got.RequestContext.Time, got.RequestContext.TimeEpoch = "", "", 0
	want := request{
		Version: "2.0", RouteKey: "POST /things", RawPath: "/things", RawQueryString: "a=1&a=2&b=%ED%95%9C&c",
		Cookies: []string{"a=1", "b=2", "c=3"},
		Headers: map[string]string{
			"host": "api.example.com", "user-agent": "a test", "x-many": "one,two, three",
			"content-type": "application/json; charset=utf-8", "content-length": "9",
		},
		QueryStringParameters: map[string]string{"a": "1,2", "b": "한", "c": ""},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST /things", AccountID: "local", APIID: "local", Stage: "$default",
			DomainName: "api.example.com", DomainPrefix: "api",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/things", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "a test",
			},
		},
		Body: `{"한":1}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventOfAPlainRequest(t *testing.T) {
	got := eventOf(t, "GET /things HTTP/1.0\r\n\r\n")
	if got.Cookies != nil || got.QueryStringParameters != nil || got.Body != "" || got.IsBase64Encoded {
		t.Errorf("%+v", got)
	}
}

func TestBodies(t *testing.T) {
	for _, row := range []struct {
		header, body string
		text         bool
	}{
		{"Content-Type: text/plain", "한글", true},
		{"Content-Type: Application/JSON", "{}", true},
		{"Content-Type: application/javascript", "1", true},
		{"Content-Type: application/xml", "<a/>", true},
		{"Content-Type: application/json", "\xff", false},
		{"Content-Type: application/json\r\nContent-Encoding: gzip", "{}", false},
		{"Content-Type: application/octet-stream", "{}", false},
		{"Content-Type: application/x-www-form-urlencoded", "a=1", false},
		{"Content-Type: ;", "a", false},
		{"X-Other: no type", "a", false},
		{"Content-Type: application/octet-stream", "", true},
	} {
		got := eventOf(t, fmt.Sprintf("POST /things HTTP/1.1\r\nHost: a\r\n%s\r\nContent-Length: %d\r\n\r\n%s", row.header, len(row.body), row.body))
		want := row.body
		if !row.text {
			want = base64.StdEncoding.EncodeToString([]byte(row.body))
		}
		if got.Body != want || got.IsBase64Encoded == row.text {
			t.Errorf("%s, %q: body %q, base64 %v", row.header, row.body, got.Body, got.IsBase64Encoded)
		}
	}
}

func TestResponses(t *testing.T) {
	for name, row := range map[string]struct {
		response response
		status   int
		header   http.Header // at least
		body     string
	}{
		"status and type": {
			response{StatusCode: 201, Headers: map[string]string{"content-type": "text/html", "x-a": "b"}, Body: "<b>"},
			201, http.Header{"Content-Type": {"text/html"}, "X-A": {"b"}}, "<b>",
		},
		"no status": {response{Body: `{"a":1}`}, 200, http.Header{"Content-Type": {"application/json"}}, `{"a":1}`},
		"no type": {
			response{StatusCode: 200, Body: "<script>"}, 200,
			http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "<script>",
		},
		"cookies": {
			response{StatusCode: 200, Cookies: []string{"a=1; Secure", "b=2"}}, 200,
			http.Header{"Set-Cookie": {"a=1; Secure", "b=2"}}, "",
		},
		"base64":          {response{StatusCode: 200, Body: "AP8=", IsBase64Encoded: true}, 200, nil, "\x00\xff"},
		"wrong length":    {response{StatusCode: 200, Headers: map[string]string{"Content-Length": "1"}, Body: "abc"}, 200, nil, "abc"},
		"status of error": {response{StatusCode: 503, Body: "later"}, 503, nil, "later"},
		"largest status":  {response{StatusCode: 599}, 599, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := serve(t, func(context.Context, request) (response, error) { return row.response, nil })
			status, header, body := exchange(t, server, "GET /things HTTP/1.1\r\nHost: a\r\n\r\n")
			if status != row.status || body != row.body {
				t.Errorf("got %d, %q, want %d, %q", status, body, row.status, row.body)
			}
			for name, want := range row.header {
				if diff := cmp.Diff(want, header[name]); diff != "" {
					t.Errorf("header %s: %s", name, diff)
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for name, integration := range map[string]httpapi.Integration{
		"error": func(context.Context, request) (response, error) {
			return response{StatusCode: 200}, errors.New("secret")
		},
		"panic":          func(context.Context, request) (response, error) { panic("secret") },
		"status too low": func(context.Context, request) (response, error) { return response{StatusCode: 199}, nil },
		"too high":       func(context.Context, request) (response, error) { return response{StatusCode: 600}, nil },
		"no base64": func(context.Context, request) (response, error) {
			return response{StatusCode: 200, Body: "!", IsBase64Encoded: true}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, log := serve(t, integration)
			wantRefusal(t, server, "GET /things HTTP/1.1\r\nHost: a\r\n\r\n", 500, "Internal Server Error")
			server.Close()
			if got := log.String(); strings.Count(got, "function failed") != 1 || !strings.Contains(got, "GET /things") {
				t.Errorf("logged %q", got)
			}
		})
	}
}

func wantRefusal(t *testing.T, server *httptest.Server, text string, status int, message string) {
	t.Helper()
	got, header, body := exchange(t, server, text)
	if got != status || body != `{"message":"`+message+`"}` || header.Get("Content-Type") != "application/json" {
		t.Errorf("%.60q was answered with %d, %q, %s", text, got, header.Get("Content-Type"), body)
	}
}

func TestRefusals(t *testing.T) {
	server, log := serve(t, func(_ context.Context, e request) (response, error) {
		return response{StatusCode: 200, Body: fmt.Sprint(len(e.Body))}, nil
	})
	for _, line := range []string{"GET /", "GET /things/", "GET /things/1", "GET //things", "PUT /things"} {
		wantRefusal(t, server, line+" HTTP/1.1\r\nHost: a\r\n\r\n", 404, "Not Found")
	}
	post := "POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
	largest := strings.Repeat("x", httpapi.MaxBody)
	if status, _, body := exchange(t, server, fmt.Sprintf(post, len(largest), largest)); status != 200 || body != fmt.Sprint(len(largest)) {
		t.Errorf("the longest body was answered with %d, %s", status, body)
	}
	wantRefusal(t, server, fmt.Sprintf(post, len(largest)+1, largest+"x"), 413, "Request Entity Too Large")
	wantRefusal(t, server, "POST /things HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n", 400, "Bad Request")
	server.Close()
	if log.Len() > 0 {
		t.Errorf("client errors were logged: %s", log)
	}
}
