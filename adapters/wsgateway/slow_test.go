package wsgateway

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/ports"
)

// A client that reads steadily is kept, even when it takes far longer than the
// write timeout to drain what Linux would buffer for it by itself. It makes up for
// the time in which a busy machine did not let it read.
func TestSteadySlowReaderIsKept(t *testing.T) {
	const perSecond = 300_000
	s := serve(t, Config{SendBuffer: 64 << 20, WriteTimeout: 2 * time.Second})
	c := s.dialRaw(t)
	conn := s.snapshot()[0]
	for range 100 {
		s.post(t, c.id, letters(128<<10))
	}
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	start := time.Now()
	for read := int64(0); read < 4*perSecond; {
		<-pace.C
		n, err := io.CopyN(io.Discard, c.Conn, int64(time.Since(start).Seconds()*perSecond)-read)
		if err != nil {
			t.Fatal(err)
		}
		read += n
		if !conn.open() {
			t.Fatal("dropped")
		}
	}
	c.Close()
}

// What a client is owed grows by each refused post and shrinks by each that is
// taken; over the limit, that client is dropped.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{SendBuffer: 1000, Backlog: 300})
		payload := letters(100 - 2) // 2 bytes of header
		refused := func() {
			t.Helper()
			if err := postTo(t, g, p, payload); !errors.Is(err, ports.ErrThrottled) {
				t.Fatalf("got %v", err)
			}
		}
		fill(t, g, p, payload) // 100 bytes owed
		refused()
		refused()
		p.expect(t, payload)
		synctest.Wait()
		fill(t, g, p, payload) // takes one and refuses one: 300 bytes, just allowed
		if err := postTo(t, g, p, payload); !errors.Is(err, ports.ErrGone) {
			t.Fatalf("over the limit: %v", err)
		}
		got := (<-p.gone).RequestContext
		if got.DisconnectStatusCode != 1008 || *got.DisconnectReason != tooSlow.reason {
			t.Errorf("$disconnect with %d %q", got.DisconnectStatusCode, *got.DisconnectReason)
		}
	})
}

// Posts that were taken earlier are no credit, and one message is always
// allowed to be owed.
func TestBacklogAllowsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{SendBuffer: 1000, Backlog: 1})
		if n := fill(t, g, p, letters(400)); n != 2 {
			t.Errorf("%d posts taken", n)
		}
		if err := postTo(t, g, p, letters(400)); !errors.Is(err, ports.ErrGone) {
			t.Errorf("second refused post: %v", err)
		}
		p.expectGone(t, 1008)
	})
}

// blockedReply waits in the outbox of openBlocked's connection.
var blockedReply = letters(100)

// openBlocked opens a connection on which one reply waits for the client to take
// it, and another one for room behind it.
func openBlocked(t *testing.T, cfg Config) (*Gateway, *pipe) {
	t.Helper()
	cfg.SendBuffer = 200
	g, p := openPipe(t, cfg)
	for range 2 {
		p.write(t, text(true, blockedReply))
	}
	synctest.Wait()
	return g, p
}

func TestBlockedReplyOfAStalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openBlocked(t, Config{})
		start := time.Now()
		p.expectGone(t, 1008)
		elapsed(t, start, 30*time.Second)
	})
}

// A reply that waits for a client that takes a little now and then keeps the
// connection neither beyond its lifetime nor beyond its idle time.
func TestBlockedReplyEndsInTime(t *testing.T) {
	for name, cfg := range map[string]Config{
		"lifetime": {Lifetime: 5 * time.Minute},
		"idle":     {IdleTimeout: 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := openBlocked(t, cfg)
				const taken = 14
				for range taken {
					time.Sleep(20 * time.Second)
					if _, err := p.Read(make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(19 * time.Second)
				if !p.conn.open() {
					t.Error("closed too early")
				}
				time.Sleep(2 * time.Second)
				if p.conn.open() {
					t.Error("still open after 5 minutes")
				}
				rest := make([]byte, ws.MinHeaderSize+len(blockedReply)-taken)
				if _, err := io.ReadFull(p, rest); err != nil {
					t.Fatal(err)
				}
				p.expectClose(t, 1001)
			})
		})
	}
}

// A reply that waits for room is given up as soon as the connection closes.
func TestBlockedReplyEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openBlocked(t, Config{})
		p.conn.shut(1000, "")
		g.messages.Wait()
		p.expect(t, blockedReply)
		p.expectClose(t, 1000)
	})
}

// A client that has much to send when it is closed gets the time to do so: to cut
// it off would reset its socket, and it would lose what it has not read yet.
func TestClosingWaitsForAClientThatSends(t *testing.T) {
	s := serve(t, Config{CloseTimeout: 300 * time.Millisecond})
	c := s.dialRaw(t)
	s.post(t, c.id, "last words")
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	for range 5 { // longer than CloseTimeout altogether
		time.Sleep(100 * time.Millisecond)
		c.write(ws.NewTextFrame([]byte("more")))
	}
	if _, part := c.read(); string(part) != "last words" {
		t.Errorf("got %q", part)
	}
	if header, _ := c.read(); header.OpCode != ws.OpClose {
		t.Errorf("got a frame of type %d, want the close frame", header.OpCode)
	}
	c.write(ws.NewCloseFrame(nil))
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
