package wsgateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"serverless-websocket/ports"
)

func (s *server) drain(t *testing.T) {
	t.Helper()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestDrain(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	c := s.dial(t)
	s.drain(t)
	if status, _, _ := handshake(t, s, "/", func(*http.Request) {}); status != 503 {
		t.Errorf("handshake: status %d", status)
	}
	c.send("not accepted")
	c.expectGatewayMessage("Service unavailable")
	s.post(t, c.id, "still delivered")
	c.expect("still delivered")
}

// Drain returns when accepted messages have been handled and their replies sent.
func TestDrainWaitsForMessages(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	s := serve(t, Config{Routes: map[string]Route{defaultRoute: {Response: true,
		Integration: func(context.Context, event) (response, error) {
			close(started)
			<-finish
			return response{Body: "accepted"}, nil
		}}}})
	c := s.dial(t)
	c.send("x")
	await(t, started)
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	select {
	case <-drained:
		t.Fatal("drained while a message is being handled")
	case <-time.After(20 * time.Millisecond): // a longer wait would only catch more
	}
	close(finish)
	if err := await(t, drained); err != nil {
		t.Error(err)
	}
	c.expect("accepted")
}

// Drain also waits for handshakes, so that a later Close reaches every client.
func TestDrainWaitsForHandshakes(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	s := serve(t, Config{Routes: map[string]Route{connectRoute: {
		Integration: func(context.Context, event) (response, error) {
			close(started)
			<-finish
			return response{StatusCode: 200}, nil
		}}}})
	opened := make(chan error, 1)
	go func() {
		c, _, err := websocket.Dial(t.Context(), s.url, nil)
		if err == nil {
			defer c.CloseNow()
		}
		opened <- err
	}()
	await(t, started)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drained during a handshake: %v", err)
	}
	close(finish)
	if err := await(t, opened); err != nil {
		t.Error(err)
	}
	s.drain(t)
}

// Clients get what waits for them if there is time.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, slow := openPipe(t, Config{})
		deaf := attachPipe(g, slow.gone)
		for range 3 {
			for _, p := range []*pipe{slow, deaf} {
				if err := postTo(t, g, p, "hello"); err != nil {
					t.Fatal(err)
				}
			}
		}
		go func() {
			for range 3 {
				time.Sleep(5 * time.Second)
				slow.expect(t, "hello")
			}
		}()
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		err := g.Flush(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "1 clients") {
			t.Errorf("got %v", err)
		}
		elapsed(t, start, 20*time.Second)
		deaf.expectGone(t, goingAway.code)
		if !slow.conn.open() {
			t.Error("the slow client was aborted too")
		}
		start = time.Now()
		if err := g.Flush(context.Background()); err != nil {
			t.Error(err)
		}
		elapsed(t, start, 0)
		slow.Close()
	})
}

// A client that is aborted during Flush counts too, although ctx has not ended.
func TestFlushCountsClientsThatAreTooSlow(t *testing.T) {
	for name, meanwhile := range map[string]func(*testing.T, *Gateway, *pipe){
		"takes nothing": func(*testing.T, *Gateway, *pipe) {},
		"over the backlog": func(t *testing.T, g *Gateway, p *pipe) {
			if err := postTo(t, g, p, letters(1000)); !errors.Is(err, ports.ErrGone) {
				t.Errorf("the post: %v", err)
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, p := openPipe(t, Config{Backlog: 1000})
			if err := postTo(t, g, p, "hello"); err != nil {
				t.Fatal(err)
			}
			flushed := make(chan error, 1)
			go func() { flushed <- g.Flush(context.Background()) }()
			synctest.Wait()
			meanwhile(t, g, p)
			if err := <-flushed; err == nil || err.Error() != "1 clients did not take what was sent to them" {
				t.Errorf("%s: %v", name, err)
			}
			p.expectGone(t, stalled.code)
		})
	}
}

// A reply that waits for a slow client delays Drain until its context ends, but not the
// close frames of other clients.
func TestStoppingDespiteABlockedReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, slow := openBlocked(t, Config{})
		other := attachPipe(g, slow.gone)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start := time.Now()
		if err := g.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		elapsed(t, start, 10*time.Second)

		closed := make(chan error, 1)
		go func() { closed <- g.Close(context.Background()) }()
		other.expectClose(t, 1001)
		elapsed(t, start, 10*time.Second)
		slow.expect(t, blockedReply)
		slow.expectClose(t, 1001)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseFlushesAndSaysGoingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		for _, payload := range []string{"one", "two"} {
			if err := postTo(t, g, p, payload); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		closed := make(chan error)
		go func() { closed <- g.Close(context.Background()) }()
		synctest.Wait()
		p.expect(t, "one")
		time.Sleep(20 * time.Second) // longer than the close timeout, which starts when everything is sent
		p.expect(t, "two")
		p.expectClose(t, 1001)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseManyClients(t *testing.T) {
	s := serve(t, Config{})
	const n = 50
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = s.dial(t)
		s.post(t, clients[i].id, "last words")
	}
	s.drain(t)
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	for _, c := range clients {
		c.expect("last words")
		c.expectClose(websocket.StatusGoingAway, "Going away")
	}
	if err := await(t, closed); err != nil {
		t.Error(err)
	}
	if len(s.gone) != n || len(s.conns) != 0 || s.slots != 0 {
		t.Errorf("%d times $disconnect, %d connections and %d slots left", len(s.gone), len(s.conns), s.slots)
	}
}

func TestCloseWaitsForDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Config{Routes: map[string]Route{disconnectRoute: {
			Integration: func(context.Context, event) (response, error) { time.Sleep(10 * time.Second); return response{}, nil },
		}}})
		p := attachPipe(g, nil)
		p.Close()
		synctest.Wait()
		start := time.Now()
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
		elapsed(t, start, 10*time.Second)
	})
}

func TestCloseAbortsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{CloseTimeout: time.Hour})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		closed := make(chan error, 1)
		go func() { closed <- g.Close(ctx) }()
		p.expect(t, string(ws.NewCloseFrameBody(1001, "Going away"))) // is not answered
		if err := <-closed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.expectGone(t, 1001)
		elapsed(t, start, time.Minute)
	})
}

func TestCloseWithoutConnections(t *testing.T) {
	g := newGateway(t, Config{})
	for range 2 {
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
