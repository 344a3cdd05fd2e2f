package wsgateway

import (
	"context"
	"maps"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/domain"
)

func idOf(c *client) domain.ConnectionID { return domain.ConnectionID(c.id) }

// pipe is the client's end of a connection in memory, for which synctest makes hours
// pass at once. It has no buffer: what the client does not read waits in the gateway.
type pipe struct {
	net.Conn
	server *pipeEnd
	conn   *conn
	gone   chan event
}

// pipeEnd is the gateway's end of a pipe. It records the write deadline.
type pipeEnd struct {
	net.Conn
	writeBy time.Time
}

func (e *pipeEnd) SetWriteDeadline(by time.Time) error {
	e.writeBy = by
	return e.Conn.SetWriteDeadline(by)
}

// openPipe opens a connection to a gateway with the settings. It adds routes for
// $disconnect and $default unless there are any.
func openPipe(t *testing.T, cfg Config) (*Gateway, *pipe) {
	t.Helper()
	gone := make(chan event, 1)
	routes := map[string]Route{
		disconnectRoute: {Integration: record(gone)},
		defaultRoute:    {Integration: echo, Response: true},
	}
	maps.Copy(routes, cfg.Routes)
	cfg.Routes = routes
	g := newGateway(t, cfg)
	return g, attachPipe(g, gone)
}

func attachPipe(g *Gateway, gone chan event) *pipe {
	inner, end := net.Pipe()
	server := &pipeEnd{Conn: inner}
	if g.admitConnection() == nil {
		g.handshakes.Done()
	}
	c := g.newConn(new(request), server)
	c.mu.Lock()
	defer c.mu.Unlock()
	g.add(c)
	c.attach(nil)
	g.running.Add(1)
	go c.serve()
	return &pipe{end, server, c, gone}
}

// expectClose reads a close frame, answers it, and checks what $disconnect got.
func (p *pipe) expectClose(t *testing.T, code ws.StatusCode) {
	t.Helper()
	frame, err := readFrame(p)
	if got, _ := ws.ParseCloseFrameData(frame.Payload); err != nil || frame.Header.OpCode != ws.OpClose || got != code {
		t.Fatalf("got frame %v %q (%v), want close with %d", frame.Header, frame.Payload, err, code)
	}
	p.write(t, closing(code, ""))
	p.expectGone(t, code)
}

func (p *pipe) expectGone(t *testing.T, code ws.StatusCode) {
	t.Helper()
	if got := (<-p.gone).RequestContext.DisconnectStatusCode; got != int64(code) {
		t.Fatalf("$disconnect with %d, want %d", got, code)
	}
}

func (p *pipe) write(t *testing.T, frame ws.Frame) {
	t.Helper()
	if err := ws.WriteFrame(p, ws.MaskFrame(frame)); err != nil {
		t.Fatal(err)
	}
}

func (p *pipe) expect(t *testing.T, want string) {
	t.Helper()
	frame, err := readFrame(p)
	if err != nil || string(frame.Payload) != want {
		t.Fatalf("got %.50q (%v), want %.50q", frame.Payload, err, want)
	}
}

func postTo(t *testing.T, g *Gateway, p *pipe, payload string) error {
	t.Helper()
	post, err := g.Prepare([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return post(context.Background(), p.conn.id)
}

// elapsed checks that the time since start is at least want, and at most a second more.
func elapsed(t *testing.T, start time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(start); got < want || got > want+time.Second {
		t.Fatalf("after %v, want %v", got, want)
	}
}

func TestIdleTimeout(t *testing.T) {
	for name, activity := range map[string]func(*testing.T, *Gateway, *pipe){
		"ping":    func(t *testing.T, _ *Gateway, p *pipe) { p.write(t, ws.NewPingFrame(nil)); p.expect(t, "") },
		"message": func(t *testing.T, _ *Gateway, p *pipe) { p.write(t, text(true, "x")); p.expect(t, "x") },
		"post": func(t *testing.T, g *Gateway, p *pipe) {
			if err := postTo(t, g, p, "hello"); err != nil {
				t.Fatal(err)
			}
			p.expect(t, "hello")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, p := openPipe(t, Config{})
				for range 3 {
					time.Sleep(9 * time.Minute)
					activity(t, g, p)
				}
				start := time.Now()
				p.expectClose(t, 1001)
				elapsed(t, start, 10*time.Minute)
			})
		})
	}
}

func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{})
		start := time.Now()
		for range 119 {
			time.Sleep(time.Minute)
			p.write(t, ws.NewPingFrame(nil))
			p.expect(t, "")
		}
		p.expectClose(t, 1001)
		elapsed(t, start, 2*time.Hour)
	})
}

func TestCloseFrameUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{})
		start := time.Now()
		p.conn.startClose(1000, "")
		p.expect(t, "\x03\xe8")
		p.expectGone(t, 1000)
		elapsed(t, start, 5*time.Second)
	})
}

// A client cannot keep a closing connection open by sending.
func TestFloodInsteadOfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{})
		start := time.Now()
		p.conn.startClose(1000, "")
		p.expect(t, "\x03\xe8")
		for ws.WriteFrame(p, ws.MaskFrame(text(true, "x"))) == nil {
			time.Sleep(time.Second)
		}
		p.expectGone(t, 1000)
		elapsed(t, start, 15*time.Second)
	})
}
