//go:build !386

package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// adopted returns a connection that the poller reads for.
func adopted(t *testing.T, p *Poller) (c *Conn, server net.Conn) {
	t.Helper()
	client, server := tcpPair(t)
	if err := server.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c = NewConn(client, nil, codec, NewClock())
	if p.Adopt(c); c.poll == nil {
		t.Fatal("was not adopted")
	}
	return c, server
}

// numbers receives until the connection ends, and returns the broadcasts.
func numbers(c *Conn) (got []int, end error) {
	end = c.Receive(func(b *Batch) {
		for _, s := range b.Stamps {
			got = append(got, s.N)
		}
	})
	c.Close(end)
	return got, end
}

// single is the frame of one broadcast.
func single(n int) []byte { return text(envelope(content(n))) }

// Each of many connections gets all of its own frames, in order, whole and in
// pieces.
func TestPollerManyFrames(t *testing.T) {
	const conns, frames = 2 * mostEvents, 20
	var p Poller
	var running sync.WaitGroup
	for i := range conns {
		c, server := adopted(t, &p)
		running.Go(func() {
			defer server.Close()
			for n := range frames {
				frame := single(i*frames + n)
				cut := (i + n) % len(frame)
				_, _ = server.Write(frame[:cut])
				_, _ = server.Write(frame[cut:])
			}
		})
		running.Go(func() {
			got, end := numbers(c)
			if end != io.EOF || len(got) != frames {
				t.Errorf("got %d frames, %v", len(got), end)
			}
			for n, one := range got {
				if one != i*frames+n {
					t.Errorf("connection %d got %d in place %d", i, one, n)
				}
			}
		})
	}
	running.Wait()
}

// Everything that the server sent before it closed the socket is received.
func TestPollerReadsWhatIsPending(t *testing.T) {
	for _, count := range []int{1, 300, 3000} {
		var p Poller
		c, server := adopted(t, &p)
		var written sync.WaitGroup
		written.Go(func() {
			for n := range count {
				_, _ = server.Write(single(n))
			}
			server.Close()
		})
		if count == 1 {
			written.Wait()
		}
		if got, end := numbers(c); end != io.EOF || len(got) != count {
			t.Errorf("got %d of %d, %v", len(got), count, end)
		}
		written.Wait()
	}
}

func TestPollerConnectionReset(t *testing.T) {
	var p Poller
	c, server := adopted(t, &p)
	if err := server.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, end := numbers(c); end == nil || end == io.EOF {
		t.Errorf("ended with %v", end)
	}
}

// While one connection stays, others come, end in different ways, and reuse descriptors.
// No connection gets data meant for another.
func TestPollerDescriptorsAreReused(t *testing.T) {
	const rounds, lanes = 50, 4
	var p Poller
	var staying, passing sync.WaitGroup
	stays, server := adopted(t, &p)
	staying.Go(func() {
		if got, _ := numbers(stays); fmt.Sprint(got) != "[0]" {
			t.Errorf("the one that stays got %v", got)
		}
	})
	var mu sync.Mutex
	descriptors := map[uintptr]int{}
	for lane := range lanes {
		passing.Go(func() {
			for round := range rounds {
				n := 1 + lane*rounds + round
				c, server := adopted(t, &p)
				mu.Lock()
				descriptors[c.sock.(detached).Fd()]++
				mu.Unlock()
				if got := passes(c, server, n, round%2 == 0); fmt.Sprint(got) != fmt.Sprint([]int{n}) {
					t.Errorf("connection %d got %v", n, got)
				}
			}
		})
	}
	passing.Wait()
	if len(descriptors) == lanes*rounds {
		t.Error("no descriptor was reused: the test proves nothing")
	}
	_, _ = server.Write(single(0))
	server.Close()
	staying.Wait()
}

// passes makes a connection receive n and end from either side.
func passes(c *Conn, server net.Conn, n int, byServer bool) (got []int) {
	_, _ = server.Write(single(n))
	if byServer {
		_, _ = server.Write(ws.MustCompileFrame(ws.NewCloseFrame(nil)))
	} else {
		go c.Leave()
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = readFrame(server)
		server.Close()
	}()
	got, _ = numbers(c)
	<-answered
	return got
}

// The client does not wait long for a server that does not answer the close frame, and
// not at all for one that is gone. Data it still sends counts.
func TestPollerLeave(t *testing.T) {
	t.Parallel()
	for name, goes := range map[string]bool{"silent": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p Poller
			c, server := adopted(t, &p)
			defer server.Close()
			_, _ = server.Write(single(7))
			if goes {
				_ = server.(*net.TCPConn).CloseWrite()
			}
			go c.Leave()
			start := time.Now()
			got, end := numbers(c)
			if took := time.Since(start); end != io.EOF || len(got) != 1 || took > patience || !goes && took < closeTimeout/2 {
				t.Errorf("got %v and %v after %v", got, end, took)
			}
		})
	}
}

// The client does not wait long for a server that does not read, either.
func TestPollerSendGivenUp(t *testing.T) {
	t.Parallel()
	var p Poller
	c, server := adopted(t, &p)
	defer server.Close()
	_ = server.(*net.TCPConn).SetReadBuffer(4 << 10) // otherwise it takes more and more for a while
	err := c.write(context.Background(), ws.NewTextFrame(make([]byte, 32<<20)))
	if err == nil {
		t.Error("sent 32 MB to a server that does not read")
	}
	if err := c.Send(t.Context(), Stamp{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sent behind half a frame: %v", err)
	}
	c.Close(err)
}

// A connection that is not plain TCP is left alone.
func TestPollerAdoptsTCPAlone(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	c := NewConn(client, nil, codec, NewClock())
	new(Poller).Adopt(c)
	if c.poll != nil || c.sock != client {
		t.Error("adopted a pipe")
	}
	c.Close(io.EOF)
}
