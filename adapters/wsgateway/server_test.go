package wsgateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// patience is how long a test waits for something that should happen at once. It is
// long enough that even on a busy machine only a hang exceeds it.
const patience = time.Minute

type (
	event    = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// server is a gateway on a socket. Its channels receive the events of $connect and
// $disconnect.
type server struct {
	*Gateway
	url        string // of the WebSocket endpoint
	management string // of the @connections API, with the stage
	connected  chan event
	gone       chan event
}

// serve starts a gateway with the settings. Unless they have routes for $connect and
// $disconnect, it adds routes that record the events.
func serve(t *testing.T, cfg Config) *server {
	t.Helper()
	s := &server{connected: make(chan event, 1000), gone: make(chan event, 1000)}
	routes := map[string]Route{
		connectRoute:    {Integration: record(s.connected)},
		disconnectRoute: {Integration: record(s.gone)},
	}
	for key, route := range cfg.Routes {
		routes[key] = route
	}
	cfg.Routes = routes
	s.Gateway = newGateway(t, cfg)
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	management := httptest.NewServer(s.Management())
	t.Cleanup(management.Close)
	s.url = "ws://" + l.Addr().String()
	s.management = management.URL + "/" + s.cfg.Stage
	t.Cleanup(func() {
		l.Close()
		if err := await(t, served); err != nil {
			t.Error(err)
		}
		s.shutdown(t)
	})
	return s
}

func newGateway(t *testing.T, cfg Config) *Gateway {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(t.Context()) }) // aborts what the test has left open
	return g
}

func (s *server) shutdown(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func record(into chan<- event) Integration {
	return func(_ context.Context, e event) (response, error) {
		into <- e
		return response{StatusCode: 200}, nil
	}
}

// answer returns an integration that always gives this answer.
func answer(status int, body string) Integration {
	return func(context.Context, event) (response, error) {
		return response{StatusCode: status, Body: body}, nil
	}
}

// echo answers with the frame's body.
func echo(_ context.Context, e event) (response, error) {
	return response{StatusCode: 200, Body: e.Body}, nil
}

func echoing() map[string]Route {
	return map[string]Route{defaultRoute: {Integration: echo, Response: true}}
}

func await[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("timed out")
		panic("unreachable")
	}
}

// expectGone waits for $disconnect and checks its code and reason.
func (s *server) expectGone(t *testing.T, code ws.StatusCode, reason string) {
	t.Helper()
	got := await(t, s.gone).RequestContext
	if got.DisconnectStatusCode != int64(code) || *got.DisconnectReason != reason {
		t.Fatalf("disconnect with %d %q, want %d %q", got.DisconnectStatusCode, *got.DisconnectReason, code, reason)
	}
	if err := s.tryPost(t, got.ConnectionID, "late"); !errors.Is(err, ports.ErrGone) {
		t.Fatalf("post after the disconnect: %v", err)
	}
}

func (s *server) tryPost(t *testing.T, id, payload string) error {
	t.Helper()
	post, err := s.Prepare([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return post(t.Context(), domain.ConnectionID(id))
}

func (s *server) post(t *testing.T, id, payload string) {
	t.Helper()
	if err := s.tryPost(t, id, payload); err != nil {
		t.Fatal(err)
	}
}

// client is a WebSocket client that knows its connection's id.
type client struct {
	*websocket.Conn
	t  *testing.T
	id string
}

func (s *server) dial(t *testing.T) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { c.CloseNow() })
	return &client{c, t, await(t, s.connected).RequestContext.ConnectionID}
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) recv() []byte {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	kind, message, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		c.t.Fatalf("%v message %.80q: %v", kind, message, err)
	}
	return message
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got := string(c.recv()); got != want {
		c.t.Fatalf("got %.200q, want %.200q", got, want)
	}
}

// expectClose reads until the server closes the connection.
func (c *client) expectClose(code websocket.StatusCode, reason string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		_, _, err := c.Read(ctx)
		var end websocket.CloseError
		if errors.As(err, &end) && end.Code == code && end.Reason == reason {
			return
		}
		if err != nil {
			c.t.Fatalf("got %v, want close with %d %q", err, code, reason)
		}
	}
}

// rawClient writes and reads single frames.
type rawClient struct {
	net.Conn
	t  *testing.T
	id string
}

func (s *server) dialRaw(t *testing.T) *rawClient {
	t.Helper()
	sock, buffered, _, err := ws.Dial(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	if buffered != nil {
		t.Fatal("frames before anything was posted")
	}
	t.Cleanup(func() { sock.Close() })
	sock.SetDeadline(time.Now().Add(patience))
	return &rawClient{sock, t, await(t, s.connected).RequestContext.ConnectionID}
}

func (c *rawClient) write(frames ...ws.Frame) {
	c.t.Helper()
	for _, frame := range frames {
		if err := ws.WriteFrame(c, ws.MaskFrame(frame)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// read returns the next frame.
func (c *rawClient) read() (ws.Header, []byte) {
	c.t.Helper()
	frame, err := readFrame(c.Conn)
	if err != nil {
		c.t.Fatal(err)
	}
	return frame.Header, frame.Payload
}

func (c *rawClient) expectClose(code ws.StatusCode) {
	c.t.Helper()
	header, payload := c.read()
	got, _ := ws.ParseCloseFrameData(payload)
	if header.OpCode != ws.OpClose || got != code {
		c.t.Fatalf("got frame %v %q, want close with %d", header, payload, code)
	}
}

func httpDo(t *testing.T, method, url, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return roundTrip(t, r)
}
