package apigwposter

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

// dialed counts the connections that are made. Each takes a tenth of a second.
type dialed struct {
	all, now, most atomic.Int64
	err            error
}

func (d *dialed) dial(context.Context) (*conn, error) {
	d.all.Add(1)
	d.most.Store(max(d.most.Load(), d.now.Add(1)))
	time.Sleep(100 * time.Millisecond)
	d.now.Add(-1)
	if d.err != nil {
		return nil, d.err
	}
	socket, _ := net.Pipe()
	return newConn(socket, socket), nil
}

// use takes connections for so many posts at once and puts them back after a
// while.
func use(t *testing.T, p *pool, posts int, long time.Duration) {
	var group errgroup.Group
	for range posts {
		group.Go(func() error {
			c, err := p.take(t.Context())
			if err == nil {
				time.Sleep(long)
				p.put(c)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestPoolOpensSomeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dialed
		p := newPool(d.dial, 100)
		use(t, p, 1000, time.Second)
		if d.most.Load() != maxHandshakes || d.all.Load() > 100 {
			t.Errorf("%d connections, %d at once", d.all.Load(), d.most.Load())
		}
	})
}

// TestPoolPrefersWhatComesFree has posts much shorter than a handshake. While the
// first connections are used for the first time, as many more may be begun.
func TestPoolPrefersWhatComesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dialed
		use(t, newPool(d.dial, 100), 100, time.Microsecond)
		if d.all.Load() > 2*maxHandshakes {
			t.Errorf("%d connections for posts that %d could carry", d.all.Load(), maxHandshakes)
		}
	})
}

func TestPoolKeepsToOneWhenOneWillDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d dialed
		p := newPool(d.dial, 10)
		for range 20 {
			use(t, p, 1, time.Millisecond)
		}
		if d.all.Load() != 1 {
			t.Errorf("%d connections for one post after the other", d.all.Load())
		}
		time.Sleep(maxIdle + 1)
		use(t, p, 1, time.Millisecond)
		if d.all.Load() != 2 {
			t.Error("a connection was used after it had been idle for too long")
		}
	})
}

// TestPoolForgetsWhatFailed would run out of room otherwise.
func TestPoolForgetsWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dialed{err: errors.New("refused")}
		p := newPool(d.dial, 2)
		for range 5 {
			if _, err := p.take(t.Context()); !errors.Is(err, d.err) {
				t.Fatal(err)
			}
		}
		d.err = nil
		for range 5 {
			c, err := p.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.broken = true
			p.put(c)
		}
	})
}

func TestPoolWaitsNoLongerThanTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(new(dialed).dial, 1)
		c, err := p.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		p.put(c)
		if _, err := p.take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a connection that is idle: %v, want context.DeadlineExceeded", err)
		}
	})
}
