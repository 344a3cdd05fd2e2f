package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/wsgateway"
)

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

// The error says why an address is refused and what to use instead.
func TestRefusedAddresses(t *testing.T) {
	inUse := &net.OpError{Op: "listen", Err: syscall.EADDRINUSE}
	for _, test := range []struct {
		err           error
		address, want string
	}{
		{inUse, "127.0.0.1:3000", "127.0.0.1:3000 is in use (HTTP); choose another with -http-addr, as in -http-addr 127.0.0.1:3010, or with SWS_HTTP_ADDR"},
		{inUse, ":3000", "port 3000 is in use (HTTP); choose another with -http-addr, as in -http-addr :3010, or with SWS_HTTP_ADDR"},
		{inUse, "[::1]:65535", "[::1]:65535 is in use (HTTP); choose another with -http-addr, as in -http-addr [::1]:3010, or with SWS_HTTP_ADDR"},
		{inUse, ":80", "port 80 is in use (HTTP); choose another with -http-addr, as in -http-addr :3010, or with SWS_HTTP_ADDR"},
		{syscall.EACCES, ":80", "port 80 needs more permissions than this user has (HTTP); choose another with -http-addr, as in -http-addr :3010, or with SWS_HTTP_ADDR"},
		{syscall.EADDRNOTAVAIL, "192.0.2.1:3000", "192.0.2.1:3000 is not an address of this machine (HTTP); choose another with -http-addr, as in -http-addr localhost:3000, or with SWS_HTTP_ADDR"},
		{&net.DNSError{Err: "no such host"}, "web:3000", "web:3000 has an unknown host (HTTP); choose another with -http-addr, as in -http-addr localhost:3000, or with SWS_HTTP_ADDR"},
		{io.EOF, ":3000", "port 3000 cannot be listened on: EOF (HTTP); choose another with -http-addr, as in -http-addr :3010, or with SWS_HTTP_ADDR"},
	} {
		if got := new(service).refused(test.err, "HTTP", "http-addr", test.address).Error(); got != test.want {
			t.Errorf("got %s\nwant %s", got, test.want)
		}
	}
}

// Each address is really in use, by another program or by the service itself. Under make,
// the advice takes the form of a make command.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	for _, name := range []string{"ws-addr", "http-addr", "management-addr"} {
		for environ, form := range map[string]string{"": ", as in -" + name, "MAKELEVEL=1": `, as in make run ARGS="-` + name} {
			got := fails(t, []string{environ}, "-"+name, address)
			for _, want := range []string{"standalone: " + address + " is in use (", "with -" + name + form, "with " + envName(name) + "\n"} {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
		}
	}
	taken.Close()
	if got := fails(t, nil, "-ws-addr", address, "-http-addr", address); !strings.Contains(got, address+" is in use by -ws-addr (HTTP)") {
		t.Errorf("one address for two: %s", got)
	}
}

func TestUnknownHost(t *testing.T) {
	got := fails(t, nil, "-http-addr", "no-such-host.invalid:3000")
	if !strings.Contains(got, "no-such-host.invalid:3000 ") || !strings.Contains(got, "with -http-addr") {
		t.Errorf("got %q", got)
	}
}

// fails runs the service, which cannot start, and returns its one-line error.
func fails(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"-ws-addr=127.0.0.1:0", "-http-addr=127.0.0.1:0", "-management-addr=127.0.0.1:0", "-data="}, args...)
	status := run(t.Context(), args, environ, &stdout, &stderr)
	if status != exitFailed || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout.String(), stderr.String())
	}
	return stderr.String()
}

// pipes is a listener whose connections are in memory, so that time passes instantly
// within synctest.
type pipes struct {
	net.Listener // not used
	conns        chan net.Conn
}

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Clients that stall are cut off: in a header, in a body, or between two requests.
func TestStalledRequests(t *testing.T) {
	const half = "GET / HTTP/1.1\r\nHost: a\r\nX-Half"
	for _, test := range []struct {
		label, request string
		want           time.Duration
	}{
		{"WebSocket", half, 10 * time.Second},
		{"HTTP", half, 10 * time.Second},
		{"@connections", half, 10 * time.Second},
		{"@connections", "POST /dev/@connections/abc= HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", 15 * time.Second},
		{"HTTP", "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n", time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			listeners := newTestService(t).listeners
			l := listeners[slices.IndexFunc(listeners, func(l listener) bool { return l.label == test.label })]
			if _, took := answer(t, l.serve, test.request); took != test.want {
				t.Errorf("%s, %q: cut off after %v, want %v", l.label, test.request, took, test.want)
			}
		})
	}
}

// A header is bounded: 16 KiB, and what net/http allows on top of that.
func TestLongHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, l := range newTestService(t).listeners {
			request := "GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + strings.Repeat("x", 24<<10)
			if got, _ := answer(t, l.serve, request); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
				t.Errorf("%s answers %.40q", l.label, got)
			}
		}
	})
}

// offline is the service as started, but without addresses: waiting for the network would
// keep time from passing within synctest.
func offline(t *testing.T) *service {
	t.Helper()
	v := newTestService(t)
	v.listeners = nil
	return v
}

// newTestService is a service whose addresses are closed after the test.
func newTestService(t *testing.T) *service {
	t.Helper()
	s, err := parse([]string{"-ws-addr=127.0.0.1:0", "-http-addr=127.0.0.1:0", "-management-addr=127.0.0.1:0", "-data="}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	v, err := newService(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range v.listeners {
		l.Close()
	}
	t.Cleanup(func() { v.gateway.Close(t.Context()) })
	return v
}

// answer returns what the server answers, and when it hangs up.
func answer(t *testing.T, serve func(net.Listener) error, request string) (string, time.Duration) {
	t.Helper()
	client, conn := net.Pipe()
	defer client.Close()
	accepts := pipes{conns: make(chan net.Conn, 1)}
	accepts.conns <- conn
	go func() { _ = serve(accepts) }() // until there are no more connections
	defer close(accepts.conns)
	began := time.Now()
	go func() { _, _ = io.WriteString(client, request) }() // as much as it reads
	text, _ := io.ReadAll(client)
	return string(text), time.Since(began)
}

// Clients that keep their sockets without using them keep no one out.
func TestSocketsOfHTTPAreBounded(t *testing.T) {
	v := newTestService(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	e := v.http(httpAPI(v.log))
	go func() { served <- e.serve(l) }()
	var first net.Conn
	for i := range 2 * maxHTTPSockets {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(30 * time.Second)) // half the time an idle socket can last
		if _, err := io.WriteString(c, "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("socket %d: %v", i, err)
		}
		if first == nil {
			first = c
		}
	}
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the first socket: %v, want that it was closed", err)
	}
	l.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestConnectionsFitTheLimitOfOpenFiles(t *testing.T) {
	needed := wsgateway.MaxPending + otherFiles
	for _, test := range []struct{ asked, files, want int }{
		{50_000, 1 << 20, 50_000}, {50_000, 50_000 + needed, 50_000}, {50_000, 50_000 + needed - 1, 49_999}, {50_000, 256, 1},
	} {
		if got := fitting(test.asked, test.files); got != test.want {
			t.Errorf("%d of %d files: %d connections, want %d", test.asked, test.files, got, test.want)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	var log bytes.Buffer
	asked := settings{maxConnections: 1 << 30}
	asked.warnOfLimits(slog.New(slog.NewTextHandler(&log, nil)))
	if got := asked.connectionLimit(); got >= 1<<30 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("%d connections, log %q", got, log.String())
	}
}

// By default only this machine can connect, through both of its addresses.
func TestListensOnLocalhost(t *testing.T) {
	s, err := parse(nil, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{s.wsAddr, s.httpAddr, s.managementAddr} {
		if host, _, _ := net.SplitHostPort(address); host != "localhost" {
			t.Errorf("%s is open to other machines too", address)
		}
	}
	v := newTestService(t)
	v.listeners = nil
	if err := v.add("HTTP", "http-addr", "localhost:0", "http://%s", v.http(httpAPI(v.log))); err != nil {
		t.Fatal(err)
	}
	for _, l := range v.listeners {
		defer l.Close()
		if l.Addr().(*net.TCPAddr).Port != v.listeners[0].Addr().(*net.TCPAddr).Port || !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			t.Errorf("listens on %v", l.Addr())
		}
	}
	if also, err := net.Listen("tcp", "[::1]:0"); err == nil {
		also.Close()
		if len(v.listeners) != 2 {
			t.Errorf("listens on %d addresses", len(v.listeners))
		}
	}
}

// A client that does not read its answer is cut off too.
func TestAnswerThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, conn := net.Pipe()
		accepts := pipes{conns: make(chan net.Conn, 1)}
		accepts.conns <- conn
		v := newTestService(t)
		go func() { _ = v.http(httpAPI(v.log)).serve(accepts) }() // until there are no more connections
		began := time.Now()
		if _, err := io.WriteString(client, "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		for time.Sleep(time.Second); ; time.Sleep(time.Second) {
			if _, err := client.Write([]byte("x")); err != nil {
				break
			}
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("cut off after %v", took)
		}
		close(accepts.conns)
	})
}
