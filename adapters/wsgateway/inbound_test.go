package wsgateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// shake connects to the gateway in memory and sends it a client's bytes.
func shake(g *Gateway, sent string) net.Conn {
	server, end := net.Pipe()
	if g.begin() {
		go g.handshake(server)
	}
	go io.WriteString(end, sent)
	return end
}

func TestHandshakeTimeout(t *testing.T) {
	for _, sent := range []string{"", "G", validHead[:len(validHead)-1]} {
		synctest.Test(t, func(t *testing.T) {
			g, start := newGateway(t, Config{}), time.Now()
			end := shake(g, sent)
			if _, err := end.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%q: got %v", sent, err)
			}
			elapsed(t, start, 10*time.Second)
		})
	}
}

// A client that does not read the answer to its handshake blocks no posts: they wait
// behind that answer in its outbox.
func TestPostsDoNotWaitForTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Config{})
		end := shake(g, validHead)
		synctest.Wait()
		start := time.Now()
		deaf := &pipe{Conn: end, conn: g.snapshot()[0]}
		for range 3 {
			if err := postTo(t, g, deaf, "hello"); err != nil {
				t.Error(err)
			}
		}
		elapsed(t, start, 0)
		if answer, err := io.ReadAll(io.LimitReader(end, int64(len("HTTP/1.1 101")))); string(answer) != "HTTP/1.1 101" {
			t.Errorf("first came %q (%v)", answer, err)
		}
		end.Close()
		synctest.Wait()
	})
}

// When too many handshakes are pending, the oldest one ends.
func TestPendingHandshakesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Config{})
		g.pending.limit = 2
		start := time.Now()
		var ends []net.Conn
		for range 3 {
			ends = append(ends, shake(g, "GET"))
			time.Sleep(time.Second)
		}
		if _, err := ends[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the oldest: %v", err)
		}
		elapsed(t, start, 3*time.Second)
		if _, err := ends[1].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the next: %v", err)
		}
		elapsed(t, start, 11*time.Second)
		synctest.Wait()
		ends[2].Close()
	})
}

func TestMessageTimeout(t *testing.T) {
	wire := ws.MustCompileFrame(ws.MaskFrame(text(true, letters(100))))
	for name, begin := range map[string]func(*testing.T, *pipe){
		"in a header":  func(_ *testing.T, p *pipe) { p.Write(wire[:1]) },
		"in a payload": func(_ *testing.T, p *pipe) { p.Write(wire[:50]) },
		"between frames, which are empty": func(t *testing.T, p *pipe) {
			p.write(t, text(false, ""))
			for range 29 {
				time.Sleep(time.Second)
				p.write(t, continuation(false, ""))
			}
		},
		"with pings between": func(t *testing.T, p *pipe) {
			p.write(t, text(false, "x"))
			for range 29 {
				time.Sleep(time.Second)
				p.write(t, ws.NewPingFrame(nil))
				p.expect(t, "")
			}
		},
		"the second": func(t *testing.T, p *pipe) {
			p.write(t, text(true, "first"))
			p.expect(t, "first")
			p.Write(wire[:50])
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := openPipe(t, Config{})
				start := time.Now()
				begin(t, p)
				p.expect(t, string(ws.NewCloseFrameBody(unfinished.code, unfinished.reason)))
				p.expectGone(t, unfinished.code)
				elapsed(t, start, 30*time.Second)
			})
		})
	}
}

// After a message that was complete in time, the idle timeout applies again.
func TestMessageTimeoutEndsWithTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{})
		wire := ws.MustCompileFrame(ws.MaskFrame(text(true, "slow")))
		for _, b := range wire[:len(wire)-1] {
			p.Write([]byte{b})
			time.Sleep(2 * time.Second)
		}
		p.Write(wire[len(wire)-1:])
		p.expect(t, "slow")
		start := time.Now()
		p.expectClose(t, 1001)
		elapsed(t, start, 10*time.Minute)
	})
}

// Clients that start messages without finishing them evict each other.
func TestUnfinishedMessagesAreBounded(t *testing.T) {
	s := serve(t, Config{Routes: echoing(), MessageMemory: 100 << 10})
	half := ws.MustCompileFrame(ws.MaskFrame(text(true, letters(32<<10))))[:20<<10]
	var clients []*rawClient
	for range 10 { // two of them fit, since memory grows by doubling
		c := s.dialRaw(t)
		if _, err := c.Conn.Write(half); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	for range 8 {
		s.expectGone(t, evicted.code, evicted.reason)
	}
	other := s.dial(t)
	other.send(letters(32 << 10))
	other.expect(letters(32 << 10))
	s.assembling.mu.Lock()
	used := s.assembling.used
	s.assembling.mu.Unlock()
	if used > s.cfg.MessageMemory {
		t.Errorf("%d bytes used", used)
	}
	for _, c := range clients {
		c.Close()
	}
	for range 2 { // the last message may have evicted one
		if code := await(t, s.gone).RequestContext.DisconnectStatusCode; code != int64(lost.code) && code != int64(evicted.code) {
			t.Errorf("disconnect with %d", code)
		}
	}
	if s.assembling.used != 0 {
		t.Errorf("%d bytes not released", s.assembling.used)
	}
}

// A message takes memory only for what has been received.
func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	s := serve(t, Config{Routes: echoing()})
	c := s.dialRaw(t)
	var most int
	for sent, part := range slices.Collect(slices.Chunk(ws.MustCompileFrame(ws.MaskFrame(text(true, letters(32<<10)))), 1<<10)) {
		if _, err := c.Conn.Write(part); err != nil {
			t.Fatal(err)
		}
		s.assembling.mu.Lock()
		most = max(most, s.assembling.used)
		if used := s.assembling.used; used > readBuffer+leastGrowth+2*(sent+1)<<10 {
			t.Errorf("%d bytes used for %d received", used, (sent+1)<<10)
		}
		s.assembling.mu.Unlock()
	}
	if _, payload := c.read(); len(payload) != 32<<10 {
		t.Errorf("%d bytes came back", len(payload))
	}
}

func TestBudgetEvictsTheOldest(t *testing.T) {
	b := budget{limit: 10}
	var gone []string
	claim := func(name string, amount int) *claim { return b.claim(amount, func() { gone = append(gone, name) }) }
	first, second := claim("first", 4), claim("second", 4)
	second.grow(2) // fits exactly
	if gone != nil {
		t.Fatalf("evicted %q", gone)
	}
	third := claim("third", 5)
	first.grow(100) // does nothing: already evicted
	first.release()
	if want := []string{"first", "second"}; !slices.Equal(gone, want[:len(gone)]) || b.used > b.limit {
		t.Fatalf("evicted %q, %d used", gone, b.used)
	}
	third.grow(6) // exceeds the limit by itself
	if b.used != 0 || gone[len(gone)-1] != "third" {
		t.Errorf("evicted %q, %d used", gone, b.used)
	}
	b.close()
	claim("late", 1)
	if gone[len(gone)-1] != "late" || b.used != 0 {
		t.Errorf("evicted %q, %d used", gone, b.used)
	}
}

// The limit on concurrent messages holds, and a client that does not read its reply
// does not count against it.
func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		gone := make(chan event, 10)
		g := newGateway(t, Config{Concurrency: 2, SendBuffer: 1, Routes: map[string]Route{
			disconnectRoute: {Integration: record(gone)},
			defaultRoute: {Response: true, Integration: func(_ context.Context, e event) (response, error) {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second)
				running.Add(-1)
				return response{Body: e.Body}, nil
			}}}})
		var pipes []*pipe
		for range 10 {
			p := attachPipe(g, gone)
			p.write(t, text(true, "x"))
			p.write(t, text(true, "y")) // its reply waits for room
			pipes = append(pipes, p)
		}
		start := time.Now()
		synctest.Wait()
		time.Sleep(10*time.Second + time.Millisecond) // two at a time, twice
		for _, p := range pipes {
			p.expect(t, "x")
			p.expect(t, "y")
		}
		elapsed(t, start, 10*time.Second)
		if most.Load() != 2 {
			t.Errorf("%d at once", most.Load())
		}
		for _, p := range pipes {
			p.Close()
		}
	})
}

// A client that sends much, but no faster than its messages are delivered, does not flood.
func TestSteadySendersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delivery, seconds = 50 * time.Millisecond, 30
		next := func() <-chan struct{} {
			delivered := make(chan struct{})
			time.AfterFunc(delivery, func() { close(delivered) })
			return delivered
		}
		gone := make(chan event, 2)
		var handled atomic.Int64
		g := newGateway(t, Config{Window: 10 * leastWindow, NextWindow: next, Routes: map[string]Route{
			disconnectRoute: {Integration: record(gone)},
			defaultRoute: {Integration: func(context.Context, event) (response, error) {
				handled.Add(1)
				return response{StatusCode: 200}, nil
			}}}})
		much, little := attachPipe(g, gone), attachPipe(g, gone)
		start := time.Now()
		for i := range seconds * 50 { // a window in a fifth of a second
			time.Sleep(20 * time.Millisecond)
			much.write(t, text(true, "much"))
			if i%10 == 0 {
				little.write(t, text(true, "little"))
			}
		}
		synctest.Wait()
		if got, took := handled.Load(), time.Since(start); got != seconds*55 || took != seconds*time.Second {
			t.Errorf("%d messages of %d handled in %v: somebody had to wait", got, seconds*55, took)
		}
		much.Close()
		little.Close()
		g.running.Wait()
	})
}

// A client that waits for its turn among those that flood leaves at once when it closes.
func TestAFloodingClientThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := func() <-chan struct{} {
			delivered := make(chan struct{})
			time.AfterFunc(50*time.Millisecond, func() { close(delivered) })
			return delivered
		}
		gone := make(chan event, 3)
		g := newGateway(t, Config{Window: 100 * leastWindow, NextWindow: next, Routes: map[string]Route{
			disconnectRoute: {Integration: record(gone)},
			defaultRoute:    {Integration: func(context.Context, event) (response, error) { return response{StatusCode: 200}, nil }},
		}})
		pipes := []*pipe{attachPipe(g, gone), attachPipe(g, gone), attachPipe(g, gone)}
		for _, p := range pipes {
			go func() {
				for ws.WriteFrame(p, ws.MaskFrame(text(true, "flood"))) == nil {
				}
			}()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for i, p := range []*pipe{pipes[1], pipes[2], pipes[0]} { // the first has its turn
			p.conn.abort(tooSlow)
			synctest.Wait()
			if len(gone) != i+1 {
				t.Errorf("%d of %d have ended", len(gone), i+1)
			}
		}
		for _, p := range pipes {
			p.Close()
		}
		g.running.Wait()
	})
}

// A client that floods while another sends gets a window only now and then. Alone, it
// gets one window after the other.
func TestFloodsWait(t *testing.T) {
	for name, others := range map[string]bool{"alone": false, "with others": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const delivery = 50 * time.Millisecond
				next := func() <-chan struct{} {
					delivered := make(chan struct{})
					time.AfterFunc(delivery, func() { close(delivered) })
					return delivered
				}
				gone := make(chan event, 2)
				var floods, sent atomic.Int64
				g := newGateway(t, Config{Window: 100 * leastWindow, NextWindow: next, Routes: map[string]Route{
					disconnectRoute: {Integration: record(gone)},
					defaultRoute: {Integration: func(_ context.Context, e event) (response, error) {
						if e.Body == "flood" {
							floods.Add(1)
						} else {
							sent.Add(1)
						}
						return response{StatusCode: 200}, nil
					}}}})
				flood, other := attachPipe(g, gone), attachPipe(g, gone)
				time.Sleep(delivery / 2) // so that no window ends in the instant of a message of the other
				if others {
					other.write(t, text(true, "other"))
					synctest.Wait() // or the flood would be alone at first
				}
				go func() {
					for ws.WriteFrame(flood, ws.MaskFrame(text(true, "flood"))) == nil {
					}
				}()
				const seconds = 120
				for range seconds * 10 {
					time.Sleep(100 * time.Millisecond)
					if others {
						other.write(t, text(true, "other"))
					}
				}
				synctest.Wait()
				cycle := delivery // of a window
				if others {
					cycle += floodRest * delivery
				}
				want := 100 * (1 + int(seconds*time.Second/cycle))
				if got := int(floods.Load()); got < want*9/10 || got > want*11/10 {
					t.Errorf("%d messages of the flood handled, want %d", got, want)
				}
				if others && sent.Load() != seconds*10+1 {
					t.Errorf("%d messages of the other handled", sent.Load())
				}
				flood.Close()
				other.Close()
				g.running.Wait()
			})
		})
	}
}

// Idle frames are read in a burst of a few hundred, and then at fifty per second.
func TestIdleFramesAreSlowed(t *testing.T) {
	for name, frame := range map[string]ws.Frame{
		"pings": ws.NewPingFrame(nil), "pongs": ws.NewPongFrame(nil), "refused": text(true, "bad"), "empty parts": continuation(false, ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan event, 1)
				g := newGateway(t, Config{MessageTimeout: time.Hour, Routes: map[string]Route{
					disconnectRoute: {Integration: record(gone)},
					defaultRoute:    {Integration: answer(400, "")},
				}})
				p := attachPipe(g, gone)
				var read atomic.Int64
				go io.Copy(io.Discard, p)
				if name == "empty parts" {
					p.write(t, text(false, "x"))
				}
				go func() {
					for ws.WriteFrame(p, ws.MaskFrame(frame)) == nil {
						read.Add(1)
					}
				}()
				time.Sleep(10 * time.Second)
				synctest.Wait()
				const want = idleFramesBurst + 10*idleFrames
				if n := read.Load(); n < want-1 || n > want+readBuffer/6 { // the read buffer holds some more
					t.Errorf("%d frames were read, want %d", n, want)
				}
				p.Close()
				g.running.Wait()
			})
		})
	}
}

// failing is a listener that first fails a number of times, then returns the sockets.
type failing struct {
	net.Listener
	times int
	socks chan net.Conn
}

func (f *failing) Accept() (net.Conn, error) {
	if f.times--; f.times >= 0 {
		return nil, syscall.EMFILE
	}
	if sock, ok := <-f.socks; ok {
		return sock, nil
	}
	return nil, net.ErrClosed
}

// Accept failures in a row are logged once, and so is the recovery.
func TestServeSaysWhenThereAreNoSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g := newGateway(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		l := &failing{times: 100, socks: make(chan net.Conn, 1)}
		server, end := net.Pipe()
		l.socks <- server
		close(l.socks)
		start := time.Now()
		if err := g.Serve(l); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < time.Minute || took > 2*time.Minute {
			t.Errorf("100 failures in %v", took)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "failures=100") {
			t.Errorf("%d lines:\n%s", n, log.String())
		}
		end.Close()
		synctest.Wait()
	})
}

// Refusals at the connection limit are logged once, and so is their end.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	g := newGateway(t, Config{MaxConnections: 100, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 150 {
		if g.admitConnection() == nil {
			g.handshakes.Done()
		}
	}
	for range 4 {
		g.release()
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, log.String())
	}
	g.release()
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "refused=50") {
		t.Errorf("%d lines:\n%s", n, log.String())
	}
}

// A client gets its time to close even if its message is handled for longer than that.
func TestClosingWhileAMessageIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := openPipe(t, Config{Routes: map[string]Route{defaultRoute: {
			Integration: func(context.Context, event) (response, error) { time.Sleep(8 * time.Second); return response{}, nil },
		}}})
		p.write(t, text(true, "x"))
		synctest.Wait()
		p.conn.startClose(1000, "")
		p.expect(t, "\x03\xe8")
		time.Sleep(10 * time.Second) // until two seconds after the handler has returned
		p.write(t, closing(1000, ""))
		p.expectGone(t, 1000)
	})
}
