package main

import (
	"strconv"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// Clients come back when the service closes their connections. Broadcasts they miss
// meanwhile are not lost but reported, and the run is incomplete.
func TestServiceCloses(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(*websocket.Conn)
		reason string
	}{
		"with a frame":    {func(c *websocket.Conn) { go c.Close(websocket.StatusGoingAway, "") }, "1001"},
		"without a frame": {func(c *websocket.Conn) { c.CloseNow() }, "lost without a close frame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone, back := make(chan struct{}), make(chan struct{})
			f := serve(t, faults{
				deliver: func(n, connection int) []int {
					if connection == 9 && n >= 5 {
						return nil // its client is being disconnected
					}
					return []int{n}
				},
				after: func(n int, conns []*websocket.Conn) {
					if n == 5 {
						test.end(conns[9])
					}
				},
			})
			f.refuse = func(connection int) bool {
				if connection == 10 {
					f.meanwhile(func() { <-gone })
					close(back)
				}
				return false
			}
			f.before = func(n int) {
				if n == 8 {
					close(gone)
					f.meanwhile(func() { <-back })
				}
			}
			r := load(t, t.Context(), f.url, "-clients", "10", "-broadcasts", "20", "-rate", "100")
			if want := map[string]int{test.reason: 1}; cmp.Diff(want, r.Connections.Closed) != "" {
				t.Errorf("closed %v, want %v", r.Connections.Closed, want)
			}
			d := r.Deliveries
			if r.status != exitFailed || r.Failure != "1 connection closed by the server" || r.Connections.Reconnects != 1 || d.Lost != 0 {
				t.Errorf("status %d, %q, %d reconnects, %d lost", r.status, r.Failure, r.Connections.Reconnects, d.Lost)
			}
			if d.MissedCut != 3 || d.MissedAway != 0 || d.Delivered != 197 { // 5, 6 and 7
				t.Errorf("%d delivered, %d missed", d.Delivered, d.MissedCut)
			}
		})
	}
}

// A sender whose connection breaks continues once it is back, and does not wait for the
// lost reply.
func TestSenderIsCutOff(t *testing.T) {
	t.Parallel()
	f := serve(t, faults{
		reply: func(n int) string {
			if n == 5 {
				return ""
			}
			return accepted(strconv.Itoa(n))
		},
		after: func(n int, conns []*websocket.Conn) {
			if n == 5 {
				conns[0].CloseNow()
			}
		},
	})
	r := load(t, t.Context(), f.url, "-scenario", "burst", "-clients", "3", "-broadcasts", "20", "-outstanding", "1", "-drain", "10s")
	if b := r.Broadcasts; r.status != exitFailed || b.Sent != 20 || b.Accepted != 19 || b.Unanswered != 1 || r.Connections.Reconnects != 1 {
		t.Errorf("status %d, %+v, %d reconnects", r.status, b, r.Connections.Reconnects)
	}
	if want := "1 broadcast unanswered, 1 connection closed by the server"; r.Failure != want {
		t.Errorf("%q, want %q", r.Failure, want)
	}
}

// untilBack holds the service at broadcast 8 until the client is about to make the given
// attempt to connect, after broadcast 5 has ended connection 9.
func untilBack(f *fake, attempt int, end func(*websocket.Conn)) {
	back := make(chan struct{})
	f.after = func(n int, conns []*websocket.Conn) {
		if n == 5 {
			end(conns[9])
		}
	}
	refuse := f.refuse
	f.refuse = func(connection int) bool {
		if connection == attempt {
			close(back)
		}
		return refuse != nil && refuse(connection)
	}
	f.before = func(n int) {
		if n == 8 {
			f.meanwhile(func() { <-back })
		}
	}
}

// A service may drop slow readers, but not other clients.
func TestSlowReadersMayBeClosed(t *testing.T) {
	t.Parallel()
	for share, test := range map[string]struct {
		status  int
		failure string
	}{
		"1": {exitOK, ""},
		"0": {exitFailed, "1 connection closed by the server"},
	} {
		t.Run("share "+share, func(t *testing.T) {
			t.Parallel()
			f := serve(t, faults{})
			untilBack(f, 10, func(c *websocket.Conn) { go c.Close(websocket.StatusPolicyViolation, "") })
			r := load(t, t.Context(), f.url, "-scenario", "slow", "-slow-share", share, "-slow-speed", "100000",
				"-clients", "10", "-broadcasts", "20", "-rate", "100")
			if r.status != test.status || r.Failure != test.failure || r.Connections.Closed["1008"] != 1 {
				t.Errorf("status %d, %q, closed %v", r.status, r.Failure, r.Connections.Closed)
			}
		})
	}
}

// Refused attempts to come back make the run incomplete.
func TestRefusedToComeBack(t *testing.T) {
	t.Parallel()
	f := serve(t, faults{refuse: func(connection int) bool { return connection == 10 }})
	untilBack(f, 11, func(c *websocket.Conn) { c.CloseNow() })
	r := load(t, t.Context(), f.url, "-clients", "10", "-broadcasts", "20", "-rate", "100")
	if want := "1 connection closed by the server, 1 reconnect refused"; r.status != exitFailed || r.Failure != want {
		t.Errorf("status %d, %q, want %q", r.status, r.Failure, want)
	}
}
