//go:build unix

package apigwposter

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
	"serverless-websocket/ports"
)

// TestHalfAnAnswer never receives the other half.
func TestHalfAnAnswer(t *testing.T) {
	for name, records := range map[string]func(p *peer) []string{
		"half a head":   func(p *peer) []string { return []string{p.data(taken[:20])} },
		"half a body":   func(p *peer) []string { return []string{p.data("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")} },
		"half a record": func(p *peer) []string { return []string{p.data(taken)[:40]} },
		"nothing":       func(*peer) []string { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRogue(t, Options{Timeout: 100 * time.Millisecond}, answering(records))
			if err := r.fails(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want context.DeadlineExceeded", err)
			}
			r.mend()
		})
	}
}

// TestAnswerAfterTheContext has the answer arrive when no one waits for it any more. The
// client hangs up without a TLS close_notify, which would have to wait if the server
// reads nothing.
func TestAnswerAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, end := make(chan struct{}), make(chan error, 1)
	r := newRogue(t, Options{}, secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		cancel()
		<-cancelled
		_, _, err := p.receive()
		end <- err
		return p.send(p.data(gone))
	}), good)
	err := r.post(ctx, 10)
	close(cancelled)
	if !errors.Is(err, context.Canceled) || errors.Is(err, ports.ErrGone) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := <-end; err != io.EOF {
		t.Errorf("the server got %v, want the end", err)
	}
	r.succeeds(2)
}

// TestIdleByTheWallClock advances only the wall clock, as happens while a Lambda is
// frozen and its monotonic clock stands still.
func TestIdleByTheWallClock(t *testing.T) {
	r := newRogue(t, Options{}, good)
	var thawed time.Duration
	r.poster.now = func() time.Time { return testenv.Later(time.Now(), thawed) }
	r.succeeds(1)
	thawed += maxIdle - 10*time.Second
	r.succeeds(1)
	thawed += maxIdle + time.Second
	r.succeeds(2)
	r.succeeds(2)
	thawed -= 2 * maxIdle // someone has set the clock
	r.succeeds(3)
}

// TestCancelledAtTheLastMoment has the context end just as the answer arrives. The
// connection is being closed by then, so the next post must not get it.
func TestCancelledAtTheLastMoment(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newRogue(t, Options{}, good)
	dial := r.poster.conns.DialTimeout
	r.poster.conns.DialTimeout = func(address string, timeout time.Duration) (net.Conn, error) {
		c, err := dial(address, timeout)
		if err == nil && ctx.Err() == nil {
			c.(*conn).Conn = &cancelling{Conn: c.(*conn).Conn, cancel: cancel}
		}
		return c, err
	}
	if err := r.post(ctx, 10); err != nil {
		t.Error(err) // the answer was there
	}
	r.succeeds(2)
}

// cancelling cancels a context once it has read an answer.
type cancelling struct {
	net.Conn
	cancel func()
}

func (c *cancelling) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.cancel()
	}
	return n, err
}
