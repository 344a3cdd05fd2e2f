package wsgateway

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func TestStalledClientIsAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		start := time.Now()
		if err := postTo(t, g, p, "hello"); err != nil {
			t.Fatal(err)
		}
		p.expectGone(t, 1008)
		elapsed(t, start, 30*time.Second)
		if err := postTo(t, g, p, "hello"); !errors.Is(err, ports.ErrGone) {
			t.Errorf("post to it: %v", err)
		}
	})
}

// A client that takes a byte now and then is slow, not stalled.
func TestSlowClientIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		if err := postTo(t, g, p, "hello"); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for range len("hello") + 2 {
			time.Sleep(25 * time.Second)
			one := make([]byte, 1)
			if _, err := p.Read(one); err != nil {
				t.Fatal(err)
			}
			got = append(got, one...)
		}
		if string(got[2:]) != "hello" {
			t.Errorf("got %q", got)
		}
		p.conn.startClose(1000, "")
		p.expectClose(t, 1000)
	})
}

// When the client closes, it still gets what waits for it. The answer to its close
// frame comes last.
func TestPeersCloseWaitsForTheFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		for _, payload := range []string{"one", "two"} {
			if err := postTo(t, g, p, payload); err != nil {
				t.Fatal(err)
			}
		}
		p.write(t, closing(1000, ""))
		synctest.Wait()
		p.expect(t, "one")
		p.expect(t, "two")
		p.expect(t, "\x03\xe8")
		p.expectGone(t, 1000)
	})
}

// The gateway stops reading from a client that does not read its replies. No reply is
// lost.
func TestRepliesWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{SendBuffer: 200})
		const messages = 20
		sent := make(chan error, 1)
		go func() {
			for range messages {
				if err := ws.WriteFrame(p, ws.MaskFrame(text(true, letters(100)))); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		synctest.Wait()
		if len(sent) != 0 {
			t.Fatal("everything was read from a client that reads nothing")
		}
		for range messages {
			p.expect(t, letters(100))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		p.conn.startClose(1000, "")
		p.expectClose(t, 1000)
	})
}

// Pings from a client that reads nothing take a limited amount of memory.
func TestPongsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{SendBuffer: 1000})
		for range 1000 {
			p.write(t, ws.NewPingFrame([]byte("ping")))
		}
		synctest.Wait()
		p.conn.mu.Lock()
		size := p.conn.outbox.size
		p.conn.mu.Unlock()
		if size > 1000 {
			t.Errorf("%d bytes wait", size)
		}
		p.Close()
		p.expectGone(t, 1006)
	})
}

// This test uses real sockets. Posts to the deaf client wait until it is aborted;
// meanwhile another client is served.
func TestDeafClientDelaysNoOther(t *testing.T) {
	s := serve(t, Config{Backlog: 1 << 40})
	deaf, other := s.dialDeaf(t), s.dial(t)
	payload := letters(128 << 10)
	serveOther := func() {
		s.post(t, other.id, payload)
		other.expect(payload)
	}
	stuck := s.find(domain.ConnectionID(deaf.id))
	for !stuck.behind() {
		s.post(t, deaf.id, payload)
		serveOther()
	}
	for len(s.gone) == 0 {
		stuck.extendWrite(0) // ends the write timeout of this client only
		serveOther()
	}
	s.expectGone(t, stalled.code, stalled.reason)
	s.post(t, other.id, "still here")
	other.expect("still here")
}

// behind reports whether frames wait for the client.
func (c *conn) behind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.flushing
}

// Posts that the socket accepts in parts arrive complete and in order.
func TestPartialWrites(t *testing.T) {
	s := serve(t, Config{Backlog: 64 << 20})
	c := s.dialRaw(t)
	const posts = 100
	for i := range posts {
		s.post(t, c.id, strings.Repeat(string(rune('a'+i%26)), 100_001))
	}
	for i := range posts {
		var got strings.Builder
		for fin := false; !fin; {
			header, part := c.read()
			got.Write(part)
			fin = header.Fin
		}
		if got.String() != strings.Repeat(string(rune('a'+i%26)), 100_001) {
			t.Fatalf("post %d arrived corrupted", i)
		}
	}
}

// Once a socket is closed, the next one can get its descriptor.
func TestTheDescriptorIsForgottenWithTheSocket(t *testing.T) {
	s := serve(t, Config{})
	s.dial(t)
	c := s.snapshot()[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.descriptor == noDescriptor {
		t.Error("no descriptor for a TCP socket")
	}
	c.abortLocked(lost)
	if c.descriptor != noDescriptor {
		t.Error("descriptor kept")
	}
	if n, err := c.tryWrite([]byte("x")); n != 0 || err != nil {
		t.Errorf("wrote %d bytes (%v)", n, err)
	}
}

// The deadline of a write that had to wait must not make a later write fail.
func TestWriteDeadlineIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p := openPipe(t, Config{})
		for range 3 {
			if err := postTo(t, g, p, "waits"); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			time.Sleep(20 * time.Second)
			p.expect(t, "waits")
		}
		synctest.Wait()
		if by := p.server.writeBy; !by.IsZero() {
			t.Errorf("nothing is waiting, but the deadline is in %v", time.Until(by))
		}
		time.Sleep(time.Minute)
		if err := postTo(t, g, p, "later"); err != nil {
			t.Fatal(err)
		}
		p.expect(t, "later")
		p.conn.startClose(1000, "")
		p.expectClose(t, 1000)
	})
}

func TestPostAllocatesNothing(t *testing.T) {
	s := serve(t, Config{})
	c := s.dialRaw(t)
	post, err := s.Prepare([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, id := t.Context(), s.snapshot()[0].id
	if allocs := testing.AllocsPerRun(100, func() {
		if err := post(ctx, id); err != nil {
			t.Fatal(err)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations per post", allocs)
	}
	c.Close()
}
