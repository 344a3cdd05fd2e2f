package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/integration/tools/load/report"
	"serverless-websocket/integration/tools/load/wire"
)

// pipes is a service in memory, so that time can be virtual. There are no buffers in
// between: the client cannot write what the service has not read.
type pipes struct {
	handle     func(p *pipes, n int) // is called before a request is handled
	deaf       func(n int) bool      // which broadcasts go only to the first connection; nil for none
	concurrent bool                  // requests of one client do not wait for each other
	history    *history              // nil for a service that keeps none

	mu    sync.Mutex
	conns []net.Conn
	over  chan struct{} // closed when the generator is done
	stop  func()        // stands for Ctrl-C
}

// pause is how long a request takes.
func (p *pipes) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-p.over:
	}
}

// dial opens a connection.
func (p *pipes) dial(codec *wire.Codec, clock wire.Clock) *wire.Conn {
	client, server := net.Pipe()
	p.mu.Lock()
	p.conns = append(p.conns, server)
	p.mu.Unlock()
	go p.serve(server)
	return wire.NewConn(client, nil, codec, clock)
}

func (p *pipes) serve(conn net.Conn) {
	defer conn.Close()
	for {
		frame, err := readFrame(conn)
		if err != nil || frame.Header.OpCode != ws.OpText {
			return
		}
		payload := ws.UnmaskFrameInPlace(frame).Payload
		if p.concurrent {
			go p.request(conn, payload)
		} else {
			p.request(conn, payload)
		}
	}
}

func (p *pipes) request(conn net.Conn, payload []byte) {
	var request struct {
		Action    string
		Content   json.RawMessage
		Positions map[string]string
		Ref       string
	}
	var n int
	if json.Unmarshal(payload, &request) != nil {
		panic("not JSON")
	}
	if request.Action == "resume" {
		p.mu.Lock()
		defer p.mu.Unlock()
		write(conn, p.history.resume(request.Positions["everyone"]))
		return
	}
	_, _ = fmt.Sscan(request.Ref, &n)
	p.handle(p, n)
	p.mu.Lock()
	defer p.mu.Unlock()
	write(conn, fmt.Sprintf(`{"accepted":{"ref":%q}}`, request.Ref))
	if p.history != nil {
		p.history.deliver(p.conns, n, string(request.Content))
		return
	}
	for i, one := range p.conns {
		if i == 0 || p.deaf == nil || !p.deaf(n) {
			write(one, fmt.Sprintf(`{"messages":[{"content":%s}]}`, request.Content))
		}
	}
}

func readFrame(r io.Reader) (ws.Frame, error) {
	header, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

func write(conn io.Writer, text string) { _ = ws.WriteFrame(conn, ws.NewTextFrame([]byte(text))) }

// virtually runs the generator against pipes.
func virtually(t *testing.T, p *pipes, args ...string) (r report.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := parse(args, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		tr := newRun(s)
		codec := wire.NewCodec("ABCD2345", s.size, wire.Service)
		tr.dial = func(context.Context) (*wire.Conn, error) { return p.dial(codec, tr.clock), nil }
		p.over = make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		p.stop = stop
		r = tr.report(tr.do(ctx))
		close(p.over)
	})
	return r
}

func near(t *testing.T, what string, got, want, by report.Millis) {
	t.Helper()
	if got < want-by || got > want+by {
		t.Errorf("%s is %v, want about %v", what, got, want)
	}
}

// The service stops reading for five of ten seconds. The generator sends as soon as it
// can, the schedule ends on time, and the latency from the schedule covers every
// broadcast that had to wait, while the latency from sending only shows the one being
// written.
func TestStalledServiceDoesNotSlowTheSchedule(t *testing.T) {
	const stall = 5 * time.Second
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 20 {
			p.pause(stall)
		}
	}}, "-clients", "3", "-broadcasts", "100", "-rate", "10")
	if r.Failure != "" || r.Deliveries.Delivered != 300 || r.Broadcasts.Accepted != 100 {
		t.Fatalf("%q, %+v, %+v", r.Failure, r.Broadcasts, r.Deliveries)
	}
	if r.Broadcasts.Seconds < 9.89 || r.Broadcasts.Seconds > 9.91 {
		t.Errorf("it took %v s, want 9.9", r.Broadcasts.Seconds)
	}
	// 20 to 70 waited, from 5 s for the first to zero for the last.
	near(t, "max from schedule", r.FromSchedule.Max, 5000, 10)
	near(t, "p90 from schedule", r.FromSchedule.P90, 4000, 110)
	near(t, "p50 from schedule", r.FromSchedule.P50, 0, 110)
	near(t, "max from send", r.FromSend.Max, 5000, 10)
	near(t, "p90 from send", r.FromSend.P90, 0, 10)
	sent := 0
	for _, s := range r.Seconds {
		sent += s.Sent
		if s.From > 3 && s.To < 6.5 && s.Sent > 0 {
			t.Errorf("%d sent from %v to %v, while the service read nothing", s.Sent, s.From, s.To)
		}
		if s.From > 7.5 && s.To < 9.5 && s.Sent != 10 {
			t.Errorf("%d sent from %v to %v", s.Sent, s.From, s.To)
		}
	}
	if sent != 100 {
		t.Errorf("%d sent in all seconds", sent)
	}
}

// With several senders, the others continue.
func TestStalledSenderDoesNotHoldUpTheOthers(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 20 {
			p.pause(5 * time.Second)
		}
	}}, "-clients", "5", "-senders", "5", "-broadcasts", "100", "-rate", "10")
	if r.Deliveries.Delivered != 500 {
		t.Fatalf("%d delivered", r.Deliveries.Delivered)
	}
	for _, s := range r.Seconds {
		if s.From > 3 && s.To < 6.5 && (s.Sent < 7 || s.Sent > 9) {
			t.Errorf("%d sent from %v to %v, want 8, those of four senders", s.Sent, s.From, s.To)
		}
	}
	near(t, "p50 from schedule", r.FromSchedule.P50, 0, 10)
}

// A service that never reads again does not hold up the generator forever.
func TestServiceStuckForGood(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 20 {
			p.pause(time.Hour)
		}
	}}, "-clients", "3", "-broadcasts", "100", "-rate", "10", "-drain", "5s")
	b := r.Broadcasts
	if b.Accepted != 20 || b.Unanswered != 2 || b.NotSent != 78 || r.Failure != "78 broadcasts not sent, 2 broadcasts unanswered" {
		t.Errorf("%q, %+v", r.Failure, b)
	}
	if last := r.Seconds[len(r.Seconds)-1].To; last > 20.1 {
		t.Errorf("it took %v s", last)
	}
}

// As fast as accepted, at most a window of broadcasts is unanswered, and each wait ends
// at once.
func TestBurstWindow(t *testing.T) {
	var waiting, most int
	var mu sync.Mutex
	p := &pipes{concurrent: true}
	p.handle = func(*pipes, int) {
		mu.Lock()
		waiting++
		most = max(most, waiting)
		mu.Unlock()
		p.pause(100 * time.Millisecond)
		mu.Lock()
		waiting--
		mu.Unlock()
	}
	r := virtually(t, p, "-scenario", "burst", "-clients", "5", "-senders", "2", "-outstanding", "5", "-broadcasts", "40")
	if r.Broadcasts.Accepted != 40 || most != 5 {
		t.Errorf("%d accepted, at most %d at once", r.Broadcasts.Accepted, most)
	}
	// 20 for each sender: one has room for 3, the other for 2.
	if r.Broadcasts.Seconds < 0.99 || r.Broadcasts.Seconds > 1.01 {
		t.Errorf("it took %v s, want 1", r.Broadcasts.Seconds)
	}
}

// A burst against a service that does not reply ends once nothing has arrived for the
// drain timeout, or at most twice as long.
func TestBurstWithoutReplies(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 7 {
			p.pause(time.Hour)
		}
	}}, "-scenario", "burst", "-clients", "2", "-outstanding", "10", "-broadcasts", "40", "-drain", "3s")
	if b := r.Broadcasts; b.Accepted != 7 || b.NotSent == 0 {
		t.Errorf("%+v", b)
	}
	if last := r.Seconds[len(r.Seconds)-1].To; last > 9.1 {
		t.Errorf("it took %v s", last)
	}
}

// After Ctrl-C, outstanding broadcasts get the drain timeout, and unsent ones are no
// failure.
func TestInterruptedDrain(t *testing.T) {
	r := virtually(t, &pipes{handle: func(p *pipes, n int) {
		if n == 10 {
			p.stop()
			p.pause(8 * time.Second)
		}
	}}, "-clients", "3", "-broadcasts", "100", "-rate", "10")
	if b := r.Broadcasts; !r.Interrupted || r.Failure != "" || b.Accepted != 11 || b.Unanswered != 0 || b.NotSent != 89 || r.Deliveries.Delivered != 33 {
		t.Errorf("%v, %q, %+v, %d delivered", r.Interrupted, r.Failure, b, r.Deliveries.Delivered)
	}
}

// Clients come and go as configured, and are owed the broadcasts sent while they stayed.
func TestChurn(t *testing.T) {
	const clients, leaving, broadcasts = 31, 15, 150
	r := virtually(t, &pipes{handle: func(*pipes, int) {}}, "-scenario", "churn", "-clients", "31", "-broadcasts", "150", "-rate", "5",
		"-churn-share", "0.5", "-churn-stay", "2s", "-churn-away", "1s", "-grace", "1s")
	if r.Failure != "" || r.Deliveries.Lost != 0 || len(r.Connections.Closed) != 0 {
		t.Errorf("%q, %+v, %v", r.Failure, r.Deliveries, r.Connections.Closed)
	}
	if n := r.Connections.Reconnects; n < leaving*8 || n > leaving*12 { // one in 3 s, for 30 s
		t.Errorf("%d reconnects, want about %d", n, leaving*10)
	}
	// They are away for a third of the time.
	if missed := float64(r.Deliveries.MissedAway) / (leaving * broadcasts); missed < 0.2 || missed > 0.45 {
		t.Errorf("missed %v of what the leaving clients could have got", missed)
	}
	if r.Deliveries.Delivered+r.Deliveries.MissedAway != clients*broadcasts {
		t.Errorf("%d delivered and %d missed", r.Deliveries.Delivered, r.Deliveries.MissedAway)
	}
}
