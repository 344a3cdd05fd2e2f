//go:build unix

package apigwposter

import (
	"errors"
	"net"
	"testing"
	"time"

	"serverless-websocket/ports"
)

// TestAnswerNobodyAskedFor has a server that sends more than one answer to a post. The
// rest must not be taken for the answer to the next post.
func TestAnswerNobodyAskedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		records func(p *peer) []string // in answer to the first post
		later   func(p *peer) string   // after it
		fails   bool
	}{
		"waits in TLS": {records: func(p *peer) []string { return []string{p.data(taken), p.data(gone)} }},
		"waits in TLS behind a ticket": {records: func(p *peer) []string {
			return []string{p.data(taken), p.ticket(), p.data(gone)}
		}},
		"begins in TLS, half a record": {records: func(p *peer) []string {
			return []string{p.data(taken), p.data(gone)[:40]}
		}},
		"in one record":            {records: func(p *peer) []string { return []string{p.data(taken + gone)} }, fails: true},
		"in one record, half":      {records: func(p *peer) []string { return []string{p.data(taken + gone[:20])} }, fails: true},
		"after one it may be":      {records: func(p *peer) []string { return []string{p.data(gone), p.data(taken)} }, fails: true},
		"after one, in one record": {records: func(p *peer) []string { return []string{p.data(gone + taken)} }, fails: true},
		"comes later": {
			records: func(p *peer) []string { return []string{p.data(taken)} },
			later:   func(p *peer) string { return p.data(gone) },
		},
		"comes later, half a record": {
			records: func(p *peer) []string { return []string{p.data(taken)} },
			later:   func(p *peer) string { return p.data(gone)[:40] },
		},
		"comes later, half a header": {
			records: func(p *peer) []string { return []string{p.data(taken)} },
			later:   func(p *peer) string { return p.data(gone)[:3] },
		},
		"comes later, behind a ticket and new keys": {
			records: func(p *peer) []string { return []string{p.data(taken)} },
			later:   func(p *peer) string { return p.ticket() + p.update(0) + p.data(gone) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := make(chan struct{})
			r := newRogue(t, Options{}, secured(func(p *peer) error {
				if err := p.request(); err != nil {
					return err
				}
				if err := p.send(tc.records(p)...); err != nil || tc.later == nil {
					return err
				}
				<-now
				return p.send(tc.later(p))
			}), good)
			if tc.fails {
				_ = r.fails()
			} else {
				r.succeeds(1)
			}
			close(now)
			if tc.later != nil {
				r.await()
			}
			r.succeeds(2)
		})
	}
}

// TestSocketThatCannotBeLookedInto still shows data that has reached TLS.
func TestSocketThatCannotBeLookedInto(t *testing.T) {
	r := newRogue(t, Options{}, answering(func(p *peer) []string { return []string{p.data(taken), p.data(gone)} }), good)
	dial := r.poster.conns.DialTimeout
	r.poster.conns.DialTimeout = func(address string, timeout time.Duration) (net.Conn, error) {
		c, err := dial(address, timeout)
		if err == nil {
			c.(*conn).socket.raw = nil
		}
		return c, err
	}
	r.succeeds(1)
	r.succeeds(2)
	r.succeeds(2)
}

// TestOneAnswerTooMuchGoesNoFurther has an unsolicited answer cross the next post, which
// no HTTP/1.1 client can detect. The post after that can.
func TestOneAnswerTooMuchGoesNoFurther(t *testing.T) {
	r := newRogue(t, Options{}, secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		if err := p.send(p.data(taken)); err != nil {
			return err
		}
		if err := p.request(); err != nil {
			return err
		}
		return p.send(p.data(taken), p.data(gone))
	}), good)
	r.succeeds(1)
	r.succeeds(1)
	r.succeeds(2)
}

// TestAnswerBeforeTheFirstRequest has the answer arrive before the poster first uses the
// connection.
func TestAnswerBeforeTheFirstRequest(t *testing.T) {
	early := secured(func(p *peer) error { return p.send(p.data(gone)) })
	r := newRogue(t, Options{}, early, good)
	r.delayFirstPost()
	_ = r.fails()
	r.succeeds(2)
}

// delayFirstPost lets what the server sends by itself arrive before the first
// request is made.
func (r *rogue) delayFirstPost() {
	dial, first := r.poster.conns.DialTimeout, true
	r.poster.conns.DialTimeout = func(address string, timeout time.Duration) (net.Conn, error) {
		c, err := dial(address, timeout)
		if err == nil && first {
			awaitArrival(r.T, c.(*conn).socket.Conn)
			first = false
		}
		return c, err
	}
}

// TestWhatTLSSendsByItself is not an answer, and the connection stays usable.
func TestWhatTLSSendsByItself(t *testing.T) {
	for name, sent := range map[string]func(p *peer) string{
		"ticket":              (*peer).ticket,
		"two tickets":         func(p *peer) string { return p.ticket() + p.ticket() },
		"new keys":            func(p *peer) string { return p.update(0) },
		"new keys, both ways": func(p *peer) string { return p.update(1) },
		"all of it":           func(p *peer) string { return p.ticket() + p.update(1) + p.ticket() },
	} {
		t.Run(name, func(t *testing.T) {
			now := make(chan struct{})
			r := newRogue(t, Options{}, secured(func(p *peer) error {
				if err := p.send(sent(p)); err != nil {
					return err
				}
				if err := p.request(); err != nil {
					return err
				}
				if err := p.send(sent(p), p.data(taken), sent(p)); err != nil {
					return err
				}
				<-now
				if err := p.send(sent(p)); err != nil {
					return err
				}
				return good(nil, p)
			}))
			r.delayFirstPost()
			r.succeeds(1)
			close(now)
			r.await()
			r.succeeds(1)
			r.succeeds(1)
		})
	}
}

// TestServerEndsIdleConnection has the server's own idle timeout end the connection, in
// several ways.
func TestServerEndsIdleConnection(t *testing.T) {
	for name, end := range map[string]func(p *peer) error{
		"with close_notify":   func(p *peer) error { return p.send(p.record(alert, "\x01\x00")) },
		"with an alert":       func(p *peer) error { return p.send(p.record(alert, "\x02\x50")) },
		"without a TLS alert": func(p *peer) error { return p.Close() },
		"with a reset": func(p *peer) error {
			_ = p.Conn.(*net.TCPConn).SetLinger(0)
			return p.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := make(chan struct{})
			r := newRogue(t, Options{}, secured(func(p *peer) error {
				if err := p.request(); err != nil {
					return err
				}
				if err := p.send(p.data(taken)); err != nil {
					return err
				}
				<-now
				return end(p)
			}), good)
			r.succeeds(1)
			close(now)
			r.await()
			r.succeeds(2)
			r.succeeds(2)
		})
	}
}

// TestQuietConnectionIsKept is the reverse of all the above.
func TestQuietConnectionIsKept(t *testing.T) {
	r := newRogue(t, Options{}, good)
	for range 3 {
		r.succeeds(1)
	}
}

// TestGoneBesideATicket reports gone, and leaves a usable connection.
func TestGoneBesideATicket(t *testing.T) {
	r := newRogue(t, Options{}, secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		if err := p.send(p.data(gone), p.ticket()); err != nil {
			return err
		}
		return good(nil, p)
	}))
	if err := r.post(t.Context(), 10); !errors.Is(err, ports.ErrGone) {
		t.Errorf("got %v, want ports.ErrGone", err)
	}
	r.succeeds(1)
}

// TestAnswerBeforeTheWholeRequest has a server refuse a post by its head. The rest is
// still sent, so the connection is usable, unless the server takes the rest for a
// request.
func TestAnswerBeforeTheWholeRequest(t *testing.T) {
	const size = 128 << 10
	early := func(then func(p *peer) error) script {
		return secured(func(p *peer) error {
			if err := p.request(); err != nil {
				return err
			}
			if err := p.send(p.data("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")); err != nil {
				return err
			}
			for got := 0; got < size; {
				_, content, err := p.receive()
				if err != nil {
					return err
				}
				got += len(content)
			}
			return then(p)
		})
	}
	r := newRogue(t, Options{}, early(func(p *peer) error { return good(nil, p) }))
	if err := r.post(t.Context(), size); !errors.Is(err, ports.ErrTooLarge) {
		t.Errorf("got %v, want ports.ErrTooLarge", err)
	}
	r.succeeds(1)
	r = newRogue(t, Options{}, early(func(p *peer) error { return p.send(p.data(gone)) }), good)
	if err := r.post(t.Context(), size); err == nil || errors.Is(err, ports.ErrGone) {
		t.Errorf("got %v, want a failure", err)
	}
	r.await()
	r.succeeds(2)
}
