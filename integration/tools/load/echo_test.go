package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"serverless-websocket/integration/environments/testenv"
)

// echo passes each frame on to everyone, except the frames that it drops.
type echo struct {
	drop func(frame, connection int) bool

	mu     sync.Mutex
	conns  []*websocket.Conn
	frames int
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := e.accept(w, r)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, frame, err := c.Read(r.Context())
		if err != nil {
			return
		}
		e.broadcast(r.Context(), kind, frame)
	}
}

// accept answers the handshake under the lock: a connected client gets the next frame.
func (e *echo) accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := websocket.Accept(w, r, nil)
	if err == nil {
		e.conns = append(e.conns, c)
	}
	return c, err
}

func (e *echo) broadcast(ctx context.Context, kind websocket.MessageType, frame []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, c := range e.conns {
		if !e.drop(e.frames, i) {
			_ = c.Write(ctx, kind, frame) // it may have ended
		}
	}
	e.frames++
}

// A server without a protocol is measured like the service.
func TestEcho(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		drop   func(frame, connection int) bool
		lost   int
		status int
	}{
		"nothing is lost": {func(int, int) bool { return false }, 0, exitOK},
		"one is lost":     {func(frame, connection int) bool { return frame == 3 && connection == 4 }, 1, exitLost},
	} {
		for _, scenario := range []string{"steady", "burst"} {
			t.Run(name+", "+scenario, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(&echo{drop: test.drop})
				defer server.Close()
				// The first client sends, and connects first.
				args := []string{"-protocol", "echo", "-scenario", scenario, "-clients", "6", "-connect-rate", "20", "-broadcasts", "10", "-drain", "10s"}
				if scenario == "steady" {
					args = append(args, "-rate", "100")
				}
				r := load(t, t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), args...)
				if b := r.Broadcasts; r.status != test.status || b.Accepted != 10 || b.Unanswered > 0 {
					t.Errorf("status %d, %+v\n%s", r.status, b, r.stderr)
				}
				if d := r.Deliveries; d.Delivered != 60-test.lost || d.Lost != test.lost || d.Damaged+d.Unreadable+d.Foreign > 0 {
					t.Errorf("%+v", d)
				}
			})
		}
	}
}

// Here the server is this process itself.
func TestWatchedServer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "only Linux has this /proc")
	}
	f := serve(t, faults{})
	r := load(t, t.Context(), f.url, "-pid", strconv.Itoa(os.Getpid()), "-clients", "20", "-broadcasts", "50", "-rate", "200")
	if r.status != exitOK || r.Server == nil || r.Server.CPUSeconds <= 0 || r.Server.PerDelivery <= 0 || r.Server.BytesAtRest < 1<<20 {
		t.Errorf("status %d, %+v", r.status, r.Server)
	}
	if !strings.Contains(r.stdout, "µs a delivery; ") {
		t.Errorf("no word of the server in\n%s", r.stdout)
	}
}
