//go:build unix

package apigwposter

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/ports"
)

// TestPlaceIsGivenBack has posts fail in every way, with one slot, and then posts that
// would find none if any failure had kept it.
func TestPlaceIsGivenBack(t *testing.T) {
	answer := func(text string) script {
		return answering(func(p *peer) []string { return []string{p.data(text)} })
	}
	silent := func(c net.Conn, _ *peer) error { _, err := io.Copy(io.Discard, c); return err }
	hangUp := func(net.Conn, *peer) error { return nil }
	for name, tc := range map[string]struct {
		script script
		size   int           // of the payload
		limit  time.Duration // of the posts that fail
	}{
		"no handshake":           {script: hangUp},
		"no TLS":                 {script: func(c net.Conn, _ *peer) error { _, err := io.WriteString(c, taken); return err }},
		"silence at handshake":   {script: silent, limit: 50 * time.Millisecond},
		"early end":              {script: secured(func(p *peer) error { return p.Close() })},
		"no answer":              {script: secured(func(p *peer) error { _ = p.request(); return p.Close() })},
		"silence":                {script: answer(""), limit: 50 * time.Millisecond},
		"request cannot be sent": {script: secured(reset), size: 128 << 10},
		"request is not read":    {script: secured(func(*peer) error { <-t.Context().Done(); return nil }), size: 128 << 10, limit: 50 * time.Millisecond},
		"no HTTP":                {script: answer("+OK\r\n\r\n")},
		"head without end":       {script: answer("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 2*maxHead))},
		"body too large":         {script: answer("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")},
		"too many answers":       {script: answer(taken + taken)},
		"last answer":            {script: answer("HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRogue(t, Options{Timeout: tc.limit}, tc.script)
			for range 3 {
				if err := r.post(t.Context(), max(tc.size, 10)); err == nil {
					t.Fatal("the post succeeded")
				} else if errors.Is(err, context.DeadlineExceeded) != (tc.limit > 0) {
					t.Errorf("got %v", err)
				}
			}
			r.mend()
		})
	}
}

// TestFailedHandshakeLeavesNothingOpen has a server that waits for the client to
// hang up.
func TestFailedHandshakeLeavesNothingOpen(t *testing.T) {
	end := make(chan error, 1)
	r := newRogue(t, Options{}, func(c net.Conn, _ *peer) error {
		if _, err := io.WriteString(c, taken); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, c)
		end <- err
		return err
	})
	_ = r.fails()
	select {
	case <-end:
	case <-time.After(patience):
		t.Error("the client did not hang up")
	}
}

// reset aborts the connection, however much data is on its way.
func reset(p *peer) error {
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	return p.Close()
}

// TestPlaceIsGivenBackUnused has posts that get no connection.
func TestPlaceIsGivenBackUnused(t *testing.T) {
	r := newRogue(t, Options{}, good)
	dial, refused := r.poster.conns.DialTimeout, errors.New("refused")
	r.poster.conns.DialTimeout = func(string, time.Duration) (net.Conn, error) { return nil, refused }
	for range 3 {
		if err := r.fails(); !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
	}
	r.poster.conns.DialTimeout = dial
	r.succeeds(1)
}

// TestPlaceBesideAnIdleConnectionThatIsBeingClosed has fasthttp close a connection that
// was idle too long: it leaves the pool before it counts as closed.
func TestPlaceBesideAnIdleConnectionThatIsBeingClosed(t *testing.T) {
	r := newRogue(t, Options{}, good)
	r.succeeds(1)
	idle, err := r.poster.conns.AcquireConn(patience, false) // as its cleaner takes it
	if err != nil {
		t.Fatal(err)
	}
	r.succeeds(2)
	r.poster.conns.CloseConn(idle)
	r.succeeds(2)
}

// TestWaitingForAPlace: waiting ends with the context and takes no slot.
func TestWaitingForAPlace(t *testing.T) {
	arrived, now := make(chan struct{}), make(chan struct{})
	r := newRogue(t, Options{}, secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		close(arrived)
		<-now
		if err := p.send(p.data(taken)); err != nil {
			return err
		}
		return good(nil, p)
	}))
	first := make(chan error)
	go func() { first <- r.post(t.Context(), 10) }()
	<-arrived
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := r.post(ctx, 10); !errors.Is(err, context.Canceled) || errors.Is(err, ports.ErrGone) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
	close(now)
	if err := <-first; err != nil {
		t.Error(err)
	}
	r.succeeds(1)
	r.succeeds(1)
}

// TestManyEndedConnections: ended connections do not make a post fail, since none of them
// got a byte of it.
func TestManyEndedConnections(t *testing.T) {
	const many = 20
	var arrived sync.WaitGroup
	arrived.Add(many)
	now := make(chan struct{})
	ending := secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		arrived.Done()
		arrived.Wait()
		if err := p.send(p.data(taken)); err != nil {
			return err
		}
		<-now
		return p.Close()
	})
	r := newRogue(t, Options{InFlight: many}, append(slices.Repeat([]script{ending}, many), good)...)
	var posts errgroup.Group
	for range many {
		posts.Go(func() error { return r.post(t.Context(), 10) })
	}
	if err := posts.Wait(); err != nil {
		t.Fatal(err)
	}
	close(now)
	r.await()
	r.succeeds(many + 1)
}
