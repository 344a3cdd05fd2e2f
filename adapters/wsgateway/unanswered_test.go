package wsgateway

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/ports"
)

// disk is what calls wait for.
type disk struct {
	begun  []string // bodies; only between calls of synctest.Wait
	synced map[string]chan struct{}
	status int
}

func newDisk(status int, bodies ...string) *disk {
	d := &disk{synced: make(map[string]chan struct{}), status: status}
	for _, body := range bodies {
		d.synced[body] = make(chan struct{})
	}
	return d
}

// write waits for what the body names, and does not wait for another.
func (d *disk) write(ctx context.Context, e event) (response, error) {
	d.begun = append(d.begun, e.Body)
	if synced := d.synced[e.Body]; synced != nil {
		ports.Placed(ctx)
		<-synced
	}
	return response{StatusCode: d.status, Body: "done " + e.Body}, nil
}

func (d *disk) wantBegun(t *testing.T, want ...string) {
	t.Helper()
	if synctest.Wait(); fmt.Sprint(d.begun) != fmt.Sprint(want) {
		t.Fatalf("%.500q have begun, want %.500q", d.begun, want)
	}
}

func (d *disk) routes() map[string]Route {
	return map[string]Route{defaultRoute: {Integration: d.write, Response: true}}
}

// Messages that only wait do so together, and are answered in order; others wait for
// their turn.
func TestMessagesWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a", "b", "c")
		_, p := openPipe(t, Config{Concurrency: 1, Routes: d.routes()})
		for _, body := range []string{"a", "b", "quick", "c"} {
			go ws.WriteFrame(p, ws.MaskFrame(text(true, body)))
			synctest.Wait()
		}
		d.wantBegun(t, "a", "b", "quick") // whose reply waits
		close(d.synced["b"])
		close(d.synced["c"])
		d.wantBegun(t, "a", "b", "quick")
		close(d.synced["a"])
		for _, body := range []string{"a", "b", "quick", "c"} {
			p.expect(t, "done "+body)
		}
		p.Close()
		p.expectGone(t, 1006)
	})
}

// A call that only waits keeps no other client waiting, whatever the concurrency.
func TestACallThatOnlyWaitsTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a")
		g, p := openPipe(t, Config{Concurrency: 1, Routes: d.routes()})
		other := attachPipe(g, p.gone)
		p.write(t, text(true, "a"))
		other.write(t, text(true, "quick"))
		other.expect(t, "done quick")
		close(d.synced["a"])
		p.expect(t, "done a")
		p.Close()
		p.expectGone(t, 1006)
		other.Close()
		other.expectGone(t, 1006)
	})
}

// The gateway's own refusals keep their place too.
func TestARefusalWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, `{"action":"a"}`)
		g := newGateway(t, Config{Routes: map[string]Route{"a": {Integration: d.write, Response: true}}})
		p := attachPipe(g, nil)
		p.write(t, text(true, `{"action":"a"}`))
		p.write(t, text(true, "b"))
		time.AfterFunc(time.Second, func() { close(d.synced[`{"action":"a"}`]) })
		p.expect(t, `done {"action":"a"}`)
		if frame, err := readFrame(p); err != nil || len(frame.Payload) < 20 || string(frame.Payload[:20]) != `{"message":"Forbidde` {
			t.Errorf("got %q, %v", frame.Payload, err)
		}
		p.Close()
		g.running.Wait()
	})
}

// One client, and all of them, can have a number of unanswered messages.
func TestUnansweredMessagesAreBounded(t *testing.T) {
	for name, limits := range map[string]struct{ all, begun int }{
		"one client":  {allWaiting, clientUnanswered + 1},
		"all clients": {5, 5 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk(200, "a")
				g, p := openPipe(t, Config{Routes: d.routes()})
				g.waiting = make(turns, limits.all)
				const sent = clientUnanswered + 10
				go func() {
					for range sent {
						if err := ws.WriteFrame(p, ws.MaskFrame(text(true, "a"))); err != nil {
							t.Error(err)
						}
					}
				}()
				if synctest.Wait(); len(d.begun) != limits.begun {
					t.Errorf("%d have begun, want %d", len(d.begun), limits.begun)
				}
				close(d.synced["a"])
				for range sent {
					p.expect(t, "done a")
				}
				synctest.Wait()
				if n := len(g.waiting); n > 0 {
					t.Errorf("%d places are not given back", n)
				}
				p.Close()
				p.expectGone(t, 1006)
			})
		})
	}
}

// A client that does not read its replies takes no place from others.
func TestUnreadRepliesTakeNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a")
		g, p := openPipe(t, Config{SendBuffer: 1, Routes: d.routes()})
		go func() {
			for ws.WriteFrame(p, ws.MaskFrame(text(true, "a"))) == nil {
			}
		}()
		synctest.Wait()
		if n := len(g.waiting); n != clientUnanswered+1 {
			t.Errorf("%d places are taken, want %d", n, clientUnanswered+1)
		}
		close(d.synced["a"])
		synctest.Wait()
		p.conn.mu.Lock()
		if n := len(p.conn.unanswered); n != clientUnanswered {
			t.Errorf("%d messages are unanswered, want %d", n, clientUnanswered)
		}
		p.conn.mu.Unlock()
		if n := len(g.waiting); n > 0 {
			t.Errorf("%d places are taken", n)
		}
		p.Close()
		p.expectGone(t, 1006)
	})
}

// $disconnect comes after the client's messages.
func TestDisconnectWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a")
		_, p := openPipe(t, Config{Routes: d.routes()})
		p.write(t, text(true, "a"))
		p.Close()
		if synctest.Wait(); len(p.gone) > 0 {
			t.Error("$disconnect came first")
		}
		close(d.synced["a"])
		p.expectGone(t, 1006)
	})
}

// A client that sends and then closes, or breaks the protocol, gets what it is owed first.
func TestRepliesComeBeforeTheClose(t *testing.T) {
	for name, test := range map[string]struct {
		last ws.Frame
		code ws.StatusCode
	}{
		"close frame": {closing(1000, ""), 1000},
		"violation":   {ws.NewBinaryFrame([]byte("x")), 1003},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk(200, "a", "b")
				g, p := openPipe(t, Config{Routes: d.routes()})
				p.write(t, text(true, "a"))
				p.write(t, text(true, "b"))
				if _, err := p.Write(ws.MustCompileFrame(ws.MaskFrame(test.last))); err != nil { // all of it at once
					t.Fatal(err)
				}
				synctest.Wait()
				if n := len(g.turns); n > 0 {
					t.Errorf("%d turns are held meanwhile", n)
				}
				other := attachPipe(g, p.gone)
				other.write(t, text(true, "quick"))
				other.expect(t, "done quick")
				close(d.synced["a"])
				close(d.synced["b"])
				p.expect(t, "done a")
				p.expect(t, "done b")
				if frame, err := readFrame(p); err != nil || frame.Header.OpCode != ws.OpClose {
					t.Errorf("got %v, %v", frame.Header, err)
				}
				p.Close()
				p.expectGone(t, test.code)
				other.Close()
				p.expectGone(t, 1006)
			})
		})
	}
}

// Drain waits for messages that only wait, and for their replies.
func TestDrainWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a")
		g, p := openPipe(t, Config{Routes: d.routes()})
		p.write(t, text(true, "a"))
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(d.synced["a"]) })
		answered := make(chan ws.Frame, 1)
		go func() {
			frame, _ := readFrame(p)
			answered <- frame
		}()
		start := time.Now()
		if err := g.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		elapsed(t, start, time.Second)
		if frame := <-answered; string(frame.Payload) != "done a" {
			t.Errorf("got %q", frame.Payload)
		}
		p.Close()
		p.expectGone(t, 1006)
	})
}

// A call that waits for too long is abandoned, and the next is answered.
func TestAWaitThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(200, "a", "b")
		_, p := openPipe(t, Config{Routes: d.routes()})
		start := time.Now()
		p.write(t, text(true, "a"))
		p.write(t, text(true, "b"))
		close(d.synced["b"])
		if frame, err := readFrame(p); err != nil || string(frame.Payload[:20]) != `{"message":"Internal` {
			t.Errorf("got %q, %v", frame.Payload, err)
		}
		elapsed(t, start, 29*time.Second)
		p.expect(t, "done b")
		close(d.synced["a"])
		p.Close()
		p.expectGone(t, 1006)
	})
}

// A message that is refused after it has waited is an idle frame like any other.
func TestLateRefusalsAreSlowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read atomic.Int64
		g, p := openPipe(t, Config{Routes: map[string]Route{defaultRoute: {Integration: func(ctx context.Context, e event) (response, error) {
			read.Add(1)
			ports.Placed(ctx)
			time.Sleep(time.Millisecond)
			return response{StatusCode: 503}, nil
		}}}})
		go io.Copy(io.Discard, p)
		go func() {
			for ws.WriteFrame(p, ws.MaskFrame(text(true, "a"))) == nil {
			}
		}()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		const want = idleFramesBurst + 10*idleFrames
		if n := read.Load(); n < want-1 || n > want+clientUnanswered+1 {
			t.Errorf("%d messages were read, want %d", n, want)
		}
		p.Close()
		g.running.Wait()
	})
}
