package wsgateway

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/ports"
)

// A client that reads steadily is kept, even if it takes far longer than the write
// timeout to drain what Linux would buffer by default: after each 600,000 bytes that
// it reads, two seconds on a slow line, the gateway can write again.
func TestSteadySlowReaderIsKept(t *testing.T) {
	s := serve(t, Config{Backlog: 64 << 20, WriteTimeout: time.Hour})
	c := s.dialRaw(t)
	for range 100 {
		s.post(t, c.id, letters(128<<10))
	}
	for range 4 {
		waiting := s.settled(t)
		if _, err := io.CopyN(io.Discard, c.Conn, 600_000); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, patience, "the gateway writes again", func() bool { return s.waiting() < waiting })
	}
	c.Close()
}

// waiting returns how many bytes the first connection's outbox holds.
func (s *server) waiting() int {
	c := s.snapshot()[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.size
}

// settled waits until the socket accepts no more, and returns how much waits then.
func (s *server) settled(t *testing.T) int {
	t.Helper()
	waiting, looks := s.waiting(), 0
	testenv.Eventually(t, patience, "the socket takes no more", func() bool {
		looks++
		if now := s.waiting(); now != waiting {
			waiting, looks = now, 0
		}
		return looks == 10
	})
	return waiting
}

// What waits for a client counts once. Over the limit, the client is aborted.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{Backlog: 1000})
		payload := letters(100 - frameOverhead - 2) // 2 bytes of header
		post := func() error { return postTo(t, g, p, payload) }
		for range 10 {
			if err := post(); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			p.expect(t, payload)
		}
		synctest.Wait()
		for range 10 {
			if err := post(); err != nil {
				t.Fatalf("after all was read: %v", err)
			}
		}
		if err := post(); !errors.Is(err, ports.ErrGone) {
			t.Fatalf("over the limit: %v", err)
		}
		got := (<-p.gone).RequestContext
		if got.DisconnectStatusCode != 1008 || *got.DisconnectReason != tooSlow.reason {
			t.Errorf("$disconnect with %d %q", got.DisconnectStatusCode, *got.DisconnectReason)
		}
	})
}

// One message can always wait.
func TestBacklogTakesOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{Backlog: 1})
		if err := postTo(t, g, p, letters(30_000)); err != nil {
			t.Error(err)
		}
		p.expect(t, letters(30_000))
		synctest.Wait()
		for _, want := range []error{nil, ports.ErrGone} {
			if err := postTo(t, g, p, letters(30_000)); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		p.expectGone(t, 1008)
	})
}

// blockedReply waits in the outbox of openBlocked's connection.
var blockedReply = letters(100)

// openBlocked opens a connection on which one reply waits for the client, and another
// waits for room behind it.
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

// A reply that waits for a slow client does not extend the connection's lifetime or
// idle timeout.
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

// A reply stops waiting for room as soon as the connection closes.
func TestBlockedReplyEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openBlocked(t, Config{})
		p.conn.startClose(1000, "")
		g.messages.Wait()
		p.expect(t, blockedReply)
		p.expectClose(t, 1000)
	})
}

// A client that is still sending when its connection closes gets more time: aborting
// it would reset the socket, and it would lose what it has not read.
func TestClosingWaitsForAClientThatSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		closed := make(chan error, 1)
		go func() { closed <- g.Close(t.Context()) }()
		p.expect(t, string(ws.NewCloseFrameBody(1001, "Going away")))
		p.write(t, text(true, "more"))
		for range 3 { // longer than CloseTimeout in total
			time.Sleep(4 * time.Second)
			p.write(t, text(true, "more"))
		}
		time.Sleep(2 * time.Second)
		p.write(t, closing(1001, ""))
		p.expectGone(t, 1001)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}
