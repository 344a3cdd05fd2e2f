package wsgateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gobwas/ws"

	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain"
)

// recorder is an Observer that keeps each call as a line.
type recorder chan string

func (r recorder) ConnectionOpened(id domain.ConnectionID) { r <- fmt.Sprint("opened ", id) }

func (r recorder) ConnectionClosed(id domain.ConnectionID, end wsgateway.ConnectionEnd) {
	r <- fmt.Sprintf("closed %s: %d %q, too slow: %v", id, end.Code, end.Reason, end.TooSlow)
}

func (r recorder) ConnectionRefused(limit, refused int) {
	r <- fmt.Sprintf("refused %d at %d", refused, limit)
}

func (r recorder) RefusalsEnded(refused int) { r <- fmt.Sprint("refusals ended after ", refused) }

func (r recorder) IntegrationFailed(route string, id domain.ConnectionID, requestID string, err error) {
	r <- fmt.Sprintf("integration %s of %s failed in request %s: %v", route, id, requestID, err)
}

func (r recorder) AcceptFailed(err error, failures int) {
	r <- fmt.Sprintf("accept failed %d: %v", failures, err)
}

func (r recorder) AcceptRecovered(failures int) { r <- fmt.Sprint("accept recovered after ", failures) }

func (r recorder) OriginRefused(origins []string, host string) {
	r <- fmt.Sprintf("origin %q refused at %s", origins, host)
}

// memory is a listener for sockets in memory. It first fails a number of times.
type memory struct {
	socks    chan net.Conn
	failures int
}

func (m *memory) Accept() (net.Conn, error) {
	if m.failures > 0 {
		m.failures--
		return nil, syscall.EMFILE
	}
	if sock, ok := <-m.socks; ok {
		return sock, nil
	}
	return nil, net.ErrClosed
}

func (m *memory) Close() error   { close(m.socks); return nil }
func (m *memory) Addr() net.Addr { return &net.UnixAddr{} }

// observed is a gateway with a recorder. It lives in a bubble of synctest.
type observed struct {
	*wsgateway.Gateway
	t      *testing.T
	memory *memory
	calls  recorder
}

// observe runs a test with a gateway. Calls that the test does not receive fail it.
func observe(t *testing.T, cfg wsgateway.Config, failures int, test func(*observed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &observed{t: t, memory: &memory{make(chan net.Conn), failures}, calls: make(recorder, 100)}
		cfg.Observer = o.calls
		var err error
		if o.Gateway, err = wsgateway.New(cfg); err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- o.Serve(o.memory) }()
		test(o)
		o.memory.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := o.Close(context.Background()); err != nil {
			t.Error(err)
		}
		for len(o.calls) > 0 {
			t.Errorf("unexpected: %s", <-o.calls)
		}
	})
}

// expect waits for the next call.
func (o *observed) expect(want string) {
	o.t.Helper()
	if got := <-o.calls; got != want {
		o.t.Fatalf("got %s, want %s", got, want)
	}
}

// dial opens a connection, unless the gateway refuses it with the status.
func (o *observed) dial(header http.Header) (sock net.Conn, status int) {
	o.t.Helper()
	dialer := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(header),
		NetDial: func(context.Context, string, string) (net.Conn, error) {
			server, client := net.Pipe()
			o.memory.socks <- server
			return client, nil
		},
	}
	sock, _, _, err := dialer.Dial(context.Background(), "ws://chat.example/")
	var refused ws.StatusError
	if errors.As(err, &refused) {
		return nil, int(refused)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return sock, 0
}

// open opens a connection and returns its id.
func (o *observed) open() (net.Conn, string) {
	o.t.Helper()
	sock, status := o.dial(nil)
	if status != 0 {
		o.t.Fatalf("status %d", status)
	}
	id, ok := strings.CutPrefix(<-o.calls, "opened ")
	if !ok || id == "" {
		o.t.Fatal("ConnectionOpened is not the first call")
	}
	return sock, id
}

func (o *observed) post(id string) error {
	o.t.Helper()
	post, err := o.Prepare([]byte("hello"))
	if err != nil {
		o.t.Fatal(err)
	}
	return post(context.Background(), domain.ConnectionID(id))
}

func TestObserverHearsOfConnections(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(o *observed, sock net.Conn, id string)
		want string
	}{
		"closed by the client": {func(o *observed, sock net.Conn, _ string) {
			frame := ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")))
			if err := ws.WriteFrame(sock, frame); err != nil {
				o.t.Error(err)
			}
			header, err := ws.ReadHeader(sock)
			if err == nil {
				_, err = io.CopyN(io.Discard, sock, header.Length)
			}
			if err != nil {
				o.t.Error(err)
			}
		}, `1000 "bye", too slow: false`},
		"lost": {func(_ *observed, sock net.Conn, _ string) { sock.Close() },
			`1006 "Connection lost without a close frame", too slow: false`},
		"takes nothing": {func(o *observed, _ net.Conn, id string) {
			if err := o.post(id); err != nil {
				o.t.Error(err)
			}
		}, `1008 "Client does not read", too slow: true`},
		"over the backlog": {func(o *observed, _ net.Conn, id string) {
			for o.post(id) == nil {
			}
		}, `1008 "Client reads too slowly", too slow: true`},
		"takes no close frame": {func(o *observed, _ net.Conn, id string) {
			request := httptest.NewRequest(http.MethodDelete, "http://local/dev/@connections/"+id, nil)
			o.Management().ServeHTTP(httptest.NewRecorder(), request)
		}, `1000 "Connection Closed Normally", too slow: true`},
	} {
		t.Run(name, func(t *testing.T) {
			observe(t, wsgateway.Config{Backlog: 1000}, 0, func(o *observed) {
				sock, id := o.open()
				defer sock.Close()
				test.end(o, sock, id)
				o.expect("closed " + id + ": " + test.want)
			})
		})
	}
}

func TestObserverHearsOfRefusals(t *testing.T) {
	observe(t, wsgateway.Config{MaxConnections: 1}, 0, func(o *observed) {
		sock, id := o.open()
		for _, want := range []string{"refused 1 at 1", "refused 2 at 1"} {
			if _, status := o.dial(nil); status != http.StatusServiceUnavailable {
				t.Errorf("status %d", status)
			}
			o.expect(want)
		}
		sock.Close()
		o.expect("refusals ended after 2")
		o.expect("closed " + id + `: 1006 "Connection lost without a close frame", too slow: false`)
	})
}

func TestObserverHearsOfRefusedOrigins(t *testing.T) {
	observe(t, wsgateway.Config{}, 0, func(o *observed) {
		if _, status := o.dial(http.Header{"Origin": {"https://evil.example"}}); status != http.StatusForbidden {
			t.Errorf("status %d", status)
		}
		o.expect(`origin ["https://evil.example"] refused at chat.example`)
	})
}

func TestObserverHearsOfAcceptFailures(t *testing.T) {
	observe(t, wsgateway.Config{}, 3, func(o *observed) {
		for n := range 3 {
			o.expect(fmt.Sprintf("accept failed %d: %v", n+1, syscall.EMFILE))
		}
		sock, status := o.dial(nil)
		if status != 0 {
			t.Fatalf("status %d", status)
		}
		o.expect("accept recovered after 3")
		<-o.calls // opened
		sock.Close()
		<-o.calls // closed
	})
}

// If Log is set as well, both get the event.
func TestObserverAndLogHearOfIntegrations(t *testing.T) {
	requests := make(chan string, 1)
	fail := func(_ context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		requests <- event.RequestContext.RequestID
		return events.APIGatewayProxyResponse{}, errors.New("why")
	}
	var log bytes.Buffer
	observe(t, wsgateway.Config{
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Routes: map[string]wsgateway.Route{"$default": {Integration: fail}},
	}, 0, func(o *observed) {
		sock, id := o.open()
		if err := ws.WriteFrame(sock, ws.MaskFrame(ws.NewTextFrame([]byte("x")))); err != nil {
			t.Error(err)
		}
		request := <-requests
		o.expect(fmt.Sprintf("integration $default of %s failed in request %s: why", id, request))
		sock.Close()
		<-o.calls // closed
		want := fmt.Sprintf(`level=ERROR msg="integration failed" route=$default connectionId=%q requestId=%s error=why`, id, request)
		if got := log.String(); !strings.HasSuffix(got, want+"\n") || strings.Count(got, "\n") != 1 {
			t.Errorf("logged %s", got)
		}
	})
}

// A connection ends with its authorization, a little later, and others with their idle
// timeout as ever.
func TestAConnectionEndsWithItsAuthorization(t *testing.T) {
	for lasts, want := range map[time.Duration]struct {
		end         string
		least, most time.Duration
	}{
		time.Minute:      {`1000 "Authorization expired"`, time.Minute, time.Minute + 10*time.Second},
		-time.Second:     {`1000 "Authorization expired"`, 0, 10 * time.Second},
		20 * time.Minute: {`1001 "Going away"`, 10 * time.Minute, 10 * time.Minute},
		0:                {`1001 "Going away"`, 10 * time.Minute, 10 * time.Minute}, // never
	} {
		var asked map[string]any
		cfg := wsgateway.Config{
			Authorizer: func(_ context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
				allow := events.IAMPolicyStatement{Effect: "Allow", Action: []string{"*"}, Resource: []string{e.MethodArn}}
				return events.APIGatewayCustomAuthorizerResponse{
					PrincipalID:    "alice",
					PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: []events.IAMPolicyStatement{allow}},
				}, nil
			},
			AuthorizedUntil: func(authorizer map[string]any) time.Time {
				asked = authorizer
				if lasts == 0 {
					return time.Time{}
				}
				return time.Now().Add(lasts)
			},
		}
		observe(t, cfg, 0, func(o *observed) {
			start := time.Now()
			sock, id := o.open()
			go io.Copy(io.Discard, sock) // the close frame, which it does not answer
			o.expect("closed " + id + ": " + want.end + ", too slow: false")
			took := time.Since(start) - 5*time.Second // for the answer to the close frame
			if took < want.least || took > want.most {
				o.t.Errorf("authorized for %v: closed after %v", lasts, took)
			}
			if asked["principalId"] != "alice" {
				o.t.Errorf("asked about %v", asked)
			}
		})
	}
}

// A renewal counts at once, whether it ends the authorization later, sooner or never.
func TestARenewedConnectionEndsWithItsNewAuthorization(t *testing.T) {
	for lasts, want := range map[time.Duration]struct {
		end         string
		least, most time.Duration
	}{
		3 * time.Minute:  {`1000 "Authorization expired"`, 3 * time.Minute, 3*time.Minute + 10*time.Second},
		10 * time.Second: {`1000 "Authorization expired"`, 10 * time.Second, 20 * time.Second},
		time.Hour:        {`1001 "Going away"`, 10 * time.Minute, 10 * time.Minute},
		0:                {`1001 "Going away"`, 10 * time.Minute, 10 * time.Minute}, // never
	} {
		cfg := wsgateway.Config{
			Authorizer: func(_ context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
				allow := events.IAMPolicyStatement{Effect: "Allow", Action: []string{"*"}, Resource: []string{e.MethodArn}}
				return events.APIGatewayCustomAuthorizerResponse{
					PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Statement: []events.IAMPolicyStatement{allow}},
				}, nil
			},
			AuthorizedUntil: func(map[string]any) time.Time { return time.Now().Add(time.Minute) },
		}
		observe(t, cfg, 0, func(o *observed) {
			start := time.Now()
			sock, id := o.open()
			go io.Copy(io.Discard, sock) // the close frame, which it does not answer
			end := time.Time{}
			if lasts > 0 {
				end = start.Add(lasts)
			}
			o.Renew(domain.ConnectionID(id), end)
			o.Renew("unknown", end)
			o.expect("closed " + id + ": " + want.end + ", too slow: false")
			took := time.Since(start) - 5*time.Second // for the answer to the close frame
			if took < want.least || took > want.most {
				o.t.Errorf("renewed for %v: closed after %v", lasts, took)
			}
		})
	}
}
