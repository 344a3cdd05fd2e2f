package wsgateway

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// validHead is a handshake; tests change parts of it.
const validHead = "GET / HTTP/1.1\r\nHost: localhost:3001\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// changed returns the valid head with a part of it replaced.
func changed(part, by string) string {
	if !strings.Contains(validHead, part) {
		panic(part)
	}
	return strings.Replace(validHead, part, by, 1)
}

// with returns the valid head with fields added.
func with(fields string) string { return strings.TrimSuffix(validHead, "\r\n") + fields + "\r\n\r\n" }

// ask sends a request on a new socket and returns the answer and its status.
func ask(t *testing.T, s *server, request string) (status int, answer *http.Response) {
	t.Helper()
	sock := s.dialSocket(t)
	if _, err := io.WriteString(sock, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(sock), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer
}

func (s *server) dialSocket(t *testing.T) net.Conn {
	t.Helper()
	sock, err := net.Dial("tcp", strings.TrimPrefix(s.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	sock.SetDeadline(time.Now().Add(patience))
	return sock
}

// Only a valid handshake invokes $connect. Every other request is refused, and its
// socket closed.
func TestHandshakeOnTheWire(t *testing.T) {
	s := serve(t, Config{})
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"as it should be", validHead, 101},
		{"names in lower case", strings.ToLower(changed("dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==")), 400}, // get, http/1.1
		{"two Connection lines, keep-alive first", changed("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"), 101},
		{"a list of protocols", changed("Upgrade: websocket", "Upgrade: h2c, WebSocket"), 101},
		{"two Upgrade lines", changed("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"), 101},
		{"a protocol with a version", changed("Upgrade: websocket", "Upgrade: websocket/13"), 426},
		{"another protocol", changed("Upgrade: websocket", "Upgrade: h2c"), 426},
		{"no upgrade", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426},
		{"version 8", changed("Version: 13", "Version: 8"), 426},
		{"two versions", changed("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 8"), 426},
		{"a list of versions", changed("Version: 13", "Version: 8, 13"), 426},
		{"no version", changed("Sec-WebSocket-Version: 13\r\n", ""), 426},
		{"key that is not base64", changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!=="), 400},
		{"key in the alphabet for URLs", changed("dGhlIHNhbXBsZSBub25jZQ==", "__________-_______-__w=="), 400},
		{"key of 17 bytes", changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWE="), 400},
		{"key with loose bits", changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR=="), 400},
		{"two keys", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"no key", changed("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400},
		{"a body by length", with("Content-Length: 5") + "hello", 400},
		{"a chunked body", with("Transfer-Encoding: chunked") + "0\r\n\r\n", 400},
		{"a length of nothing", with("Content-Length: 0"), 101},
		{"two lengths", with("Content-Length: 0\r\nContent-Length: 0"), 400},
		{"a length that is not a number", with("Content-Length: +0"), 400},
		{"no host", changed("Host: localhost:3001\r\n", ""), 400},
		{"an empty host", changed("localhost:3001", ""), 400},
		{"two hosts", with("Host: localhost:3001"), 400},
		{"a host with a path", changed("localhost:3001", "localhost/x"), 400},
		{"HTTP/1.0", changed("HTTP/1.1", "HTTP/1.0"), 400},
		{"HTTP/1.2", changed("HTTP/1.1", "HTTP/1.2"), 505},
		{"HTTP/2.0", changed("HTTP/1.1", "HTTP/2.0"), 505},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"no version of HTTP", changed(" HTTP/1.1", ""), 400},
		{"two spaces", changed("GET /", "GET  /"), 400},
		{"a tab", changed("GET /", "GET\t/"), 400},
		{"absolute target", changed("GET /", "GET http://other/"), 400},
		{"target *", changed("GET /", "GET *"), 400},
		{"bad escape in the path", changed("GET /", "GET /%zz"), 400},
		{"bad escape in the query", changed("GET /", "GET /?a=%zz;b"), 101},
		{"fragment", changed("GET /", "GET /#x"), 400},
		{"POST", changed("GET", "POST"), 405},
		{"another path", changed("GET /", "GET /prod"), 403},
		{"the stage", changed("GET /", "GET /dev"), 101},
		{"the stage, escaped", changed("GET /", "GET /%64ev/"), 101},
		{"bare line feeds", strings.ReplaceAll(strings.TrimSuffix(validHead, "\r\n\r\n"), "\r\n", "\n") + "\r\n\r\n", 400},
		{"bare carriage return", changed("localhost:3001", "local\rhost"), 400},
		{"folded line", with("X-Folded: a\r\n b"), 400},
		{"space before the colon", changed("Upgrade: websocket", "Upgrade : websocket"), 400},
		{"no colon", with("nothing"), 400},
		{"no name", with(": nothing"), 400},
		{"NUL in a value", with("X: a\x00b"), 400},
		{"no space behind the colon", changed("Upgrade: websocket", "Upgrade:websocket"), 101},
		{"spaces and tabs around a value", changed("Upgrade: websocket", "Upgrade: \t websocket \t"), 101},
		{"a head that does not end", changed("localhost:3001", strings.Repeat("x", maxHead)), 431},
		{"too many fields", with(strings.TrimSuffix(strings.Repeat("X: y\r\n", maxFields), "\r\n")), 431},
		{"the longest head", with("X: " + strings.Repeat("x", maxHead-len(with("X: ")))), 101},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
		{"an empty line first", "\r\n" + validHead, 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer := ask(t, s, test.request)
			if status != test.status {
				t.Fatalf("status %d, want %d", status, test.status)
			}
			if invoked := len(s.connected) == 1; invoked != (status == 101) {
				t.Errorf("$connect invoked: %v", invoked)
			}
			if status == 101 {
				<-s.connected
				return
			}
			if body, err := io.ReadAll(answer.Body); err != nil || !strings.HasPrefix(string(body), `{"message":"`) || !answer.Close {
				t.Errorf("body %q (%v), closes: %v", body, err, answer.Close)
			}
		})
	}
}

// The head can arrive in pieces of any size.
func TestHandshakeInPieces(t *testing.T) {
	for size := 1; size < 10; size++ {
		pieces := make([]io.Reader, 0, len(validHead))
		for text := validHead + "rest"; text != ""; text = text[min(size, len(text)):] {
			pieces = append(pieces, strings.NewReader(text[:min(size, len(text))]))
		}
		all := io.MultiReader(pieces...)
		head, rest, err := readHead(all, make([]byte, usualHead))
		more, _ := io.ReadAll(all)
		if string(head) != validHead || string(rest)+string(more) != "rest" || err != nil {
			t.Errorf("in pieces of %d: head %q, rest %q, error %v", size, head, rest, err)
		}
	}
}

func TestHeadersAndQueryAsSent(t *testing.T) {
	s := serve(t, Config{})
	ask(t, s, strings.Replace(with("x-lower: a\r\nX-LOWER: b\r\ncookie: c=d; e=f"), "GET /", "GET /?a=1;b=2&c=%zz&d&=e&f=%EC%84%9C+x&&a=3", 1))
	got := await(t, s.connected)
	if diff := cmp.Diff(map[string][]string{"a": {"1;b=2", "3"}, "c": {"%zz"}, "d": {""}, "": {"e"}, "f": {"서 x"}},
		got.MultiValueQueryStringParameters); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{
		"Host": {"localhost:3001"}, "x-lower": {"a", "b"}, "cookie": {"c=d; e=f"},
		"Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}, got.MultiValueHeaders); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		allowed Origins
		origin  string
		ok      bool
	}{
		{nil, "", true},
		{nil, "http://localhost:8080", true},
		{nil, "HTTP://LOCALHOST", true},
		{nil, "http://evil.example", false},
		{nil, "http://localhost.evil.example", false},
		{nil, "null", false},
		{Origins{"*"}, "http://evil.example", true},
		{Origins{"*"}, "null", true},
		{Origins{"https://example.com"}, "https://example.com", true},
		{Origins{"https://example.com"}, "http://example.com", false},
		{Origins{"https://example.com"}, "https://example.com:8443", false},
		{Origins{"https://example.com"}, "https://a.example.com", false},
		{Origins{"https://example.com"}, "http://localhost:3001", false},
		{Origins{"https://example.com"}, "", true},
		{Origins{"https://*.example.com"}, "https://a.b.example.com", true},
		{Origins{"https://*.example.com"}, "https://example.com", false},
		{Origins{"https://*.example.com"}, "https://.example.com", false},
		{Origins{"https://*.example.com"}, "https://evilexample.com", false},
		{Origins{"https://*.example.com"}, "http://a.example.com", false},
		{Origins{"https://*.example.com"}, "https://evil.example/.example.com", false},
		{Origins{"http://a.example", "http://b.example"}, "http://b.example", true},
	} {
		r, err := parseRequest([]byte(validHead))
		if err != nil {
			t.Fatal(err)
		}
		if test.origin != "" {
			r.fields = append(r.fields, field{"Origin", test.origin})
		}
		if got := allowsOrigin(test.allowed, r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); got != test.ok {
			t.Errorf("%q from %q: allowed %v", test.allowed, test.origin, got)
		}
	}
	page, err := parseRequest([]byte(strings.ReplaceAll(with("Origin: http://chat.example"), "localhost:3001", "chat.example")))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{"127.0.0.1": false, "::1": false, "192.0.2.1": true} {
		if got := allowsOrigin(nil, page, &net.TCPAddr{IP: net.ParseIP(address)}); got != want {
			t.Errorf("own page of a host at %s: allowed %v", address, got)
		}
	}
	s := serve(t, Config{})
	if status, _ := ask(t, s, with("Origin: https://evil.example")); status != 403 || len(s.connected) != 0 {
		t.Errorf("status %d, $connect invoked %d times", status, len(s.connected))
	}
	if status, _ := ask(t, s, with("Origin: http://localhost\r\nOrigin: http://localhost")); status != 403 {
		t.Errorf("two origins: status %d", status)
	}
}

// Where this parser and net/http's both accept a head, they read the same.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{validHead, with("Origin: http://a"), changed("GET /", "GET /%20?a;b"), "PRI * HTTP/2.0\r\n\r\n", "\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if !bytes.HasSuffix(head, endOfHead) || bytes.Index(head, endOfHead) != len(head)-len(endOfHead) {
			return
		}
		r, err := parseRequest(head)
		if err != nil {
			if _, ok := asRefusal(err); !ok {
				t.Errorf("error %v is not a refusal", err)
			}
			return
		}
		other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			return // net/http is stricter with hosts and lengths
		}
		if other.Method != r.method || other.URL.Path != r.path && !strings.HasPrefix(r.path, "//") || other.Host != r.host {
			t.Errorf("read %q %q %q, net/http %q %q %q", r.method, r.path, r.host, other.Method, other.URL.Path, other.Host)
		}
		for _, f := range r.fields {
			if name := http.CanonicalHeaderKey(f.name); name != "Host" && !contains(other.Header[name], f.value) {
				t.Errorf("%s is %q, for net/http %q", name, f.value, other.Header[name])
			}
		}
	})
}

func contains(all []string, one string) bool {
	for _, other := range all {
		if other == one {
			return true
		}
	}
	return false
}

func parseRequest(head []byte) (*request, error) {
	r := new(request)
	return r, r.parse(head)
}

// Handshakes share memory, one after the other, but nothing that is in it.
func TestRequestsAreApart(t *testing.T) {
	s := serve(t, Config{})
	for _, fields := range []string{"Authorization: Bearer secret\r\nX: y\r\nZ: a", "Z: b", "NoColon", "Z: c"} {
		status, _ := ask(t, s, with(fields))
		if fields == "NoColon" {
			if status != http.StatusBadRequest {
				t.Errorf("%q: status %d", fields, status)
			}
			continue
		}
		got := await(t, s.connected)
		if want := strings.Count(fields, ":") + 3; len(got.MultiValueHeaders) != want || len(got.Headers) != want {
			t.Errorf("%q: headers %v", fields, got.Headers)
		}
	}
}
