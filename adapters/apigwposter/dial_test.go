package apigwposter

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowDials counts the connections that are being opened. Each takes a tenth of a
// second.
type slowDials struct {
	all, now, most atomic.Int64
}

func (s *slowDials) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.all.Add(1)
	defer s.now.Add(-1)
	for n := s.now.Add(1); ; {
		if most := s.most.Load(); n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	select {
	case <-time.After(100 * time.Millisecond):
		client, _ := net.Pipe()
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *slowDials) dialer() *dialer {
	return newDialer(&http.Client{Transport: &http.Transport{DialContext: s.dial}}, target{})
}

func TestSomeHandshakesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slowDials
		d := s.dialer()
		var dials sync.WaitGroup
		for range 100 {
			dials.Go(func() {
				if _, err := d.dial("", time.Second); err != nil {
					t.Error(err)
				}
			})
		}
		dials.Wait()
		if s.most.Load() != maxHandshakes || s.all.Load() != 100 {
			t.Errorf("%d connections, %d at once", s.all.Load(), s.most.Load())
		}
	})
}

// TestDialTakesNoLongerThanItMay, whether dialing or waiting for its turn, and gives its
// turn back.
func TestDialTakesNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(slowDials).dialer()
		var all sync.WaitGroup
		dials := func(limit time.Duration, want error) {
			for range maxHandshakes {
				all.Go(func() {
					start := time.Now()
					if _, err := d.dial("", limit); !errors.Is(err, want) || time.Since(start) > limit {
						t.Errorf("within %v: got %v after %v, want %v", limit, err, time.Since(start), want)
					}
				})
			}
			synctest.Wait()
		}
		dials(time.Second, nil)
		dials(50*time.Millisecond, context.DeadlineExceeded) // waiting
		all.Wait()
		dials(50*time.Millisecond, context.DeadlineExceeded) // under way
		all.Wait()
		dials(time.Second, nil)
		all.Wait()
	})
}

func TestDialThatTimedOutOnTheNetwork(t *testing.T) {
	d := newDialer(&http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}}}, target{})
	if _, err := d.dial("", time.Second); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}

// TestRenegotiationIsRefused, whatever the client's settings say.
func TestRenegotiationIsRefused(t *testing.T) {
	settings := &tls.Config{Renegotiation: tls.RenegotiateFreelyAsClient}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}
	if d := newDialer(client, target{}); d.tls.Renegotiation != tls.RenegotiateNever {
		t.Error("it is allowed")
	}
}
