package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// patience is long enough that even on a busy machine only a hang exceeds it.
const patience = time.Minute

// sockets are the ways in which a connection reads.
var sockets = map[string]func(t *testing.T) (client, server net.Conn){
	"TCP":   tcpPair,
	"other": func(*testing.T) (net.Conn, net.Conn) { return net.Pipe() },
	"polled": func(t *testing.T) (net.Conn, net.Conn) {
		client, server := tcpPair(t)
		return polledSocket{client}, server
	},
}

// overTCP is for tests that an unbuffered pipe would block.
func overTCP(t *testing.T, test func(t *testing.T, client, server net.Conn)) {
	t.Helper()
	for _, name := range []string{"TCP", "polled"} {
		t.Run(name, func(t *testing.T) {
			client, server := sockets[name](t)
			test(t, client, server)
		})
	}
}

// polledSocket is the socket of a connection for a Poller to adopt.
type polledSocket struct{ net.Conn }

func newConn(sock net.Conn, early []byte) *Conn {
	polled, ok := sock.(polledSocket)
	if !ok {
		return NewConn(sock, early, codec, NewClock())
	}
	c := NewConn(polled.Conn, early, codec, NewClock())
	new(Poller).Adopt(c)
	return c
}

func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// receive makes a connection receive what write writes, until the socket is closed.
func receive(t *testing.T, client, server net.Conn, early []byte, write func(net.Conn)) (Batch, error) {
	t.Helper()
	for _, end := range []net.Conn{client, server} {
		if err := end.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer server.Close()
		write(server)
	}()
	var all Batch
	c := newConn(client, early)
	end := c.Receive(func(b *Batch) {
		all.Bytes += b.Bytes
		all.Frames += b.Frames
		all.Stamps = append(all.Stamps, b.Stamps...)
		all.Replies = append(all.Replies, b.Replies...)
		all.Unreadable += b.Unreadable
	})
	c.Close(end)
	<-written
	return all, end
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

func text(payload []byte) []byte { return ws.MustCompileFrame(ws.NewTextFrame(payload)) }

// stream is a bit of everything: single and coalesced messages, fragments with a
// ping between them, a reply, and a frame larger than one read.
func stream() []byte {
	var b bytes.Buffer
	b.Write(text(envelope(content(0))))
	b.Write(text(envelope(content(1), content(2), content(3))))
	whole := envelope(content(4), content(5))
	b.Write(ws.MustCompileFrame(ws.NewFrame(ws.OpText, false, whole[:70])))
	b.Write(ws.MustCompileFrame(ws.NewFrame(ws.OpContinuation, false, whole[70:71])))
	b.Write(ws.MustCompileFrame(ws.NewPongFrame(nil)))
	b.Write(ws.MustCompileFrame(ws.NewFrame(ws.OpContinuation, true, whole[71:])))
	b.Write(text([]byte(`{"accepted":{"ref":"5"}}`)))
	var many []string
	for n := 6; n < 106; n++ {
		many = append(many, content(n))
	}
	b.Write(text(envelope(many...)))
	return b.Bytes()
}

func wantOfStream() Batch {
	var numbers []int
	for n := range 106 {
		numbers = append(numbers, n)
	}
	return Batch{Bytes: len(stream()), Frames: 4, Stamps: stamps(numbers...), Replies: []Reply{{N: 5, Accepted: true}}}
}

// However the bytes are split, the result is the same.
func TestReceive(t *testing.T) {
	for socket, pair := range sockets {
		for name, chunk := range map[string]int{"whole": 1 << 20, "pieces": 999, "bytes": 7} {
			t.Run(socket+"/"+name, func(t *testing.T) {
				client, server := pair(t)
				got, end := receive(t, client, server, nil, func(server net.Conn) {
					for rest := stream(); len(rest) > 0; {
						n := min(chunk, len(rest))
						if _, err := server.Write(rest[:n]); err != nil {
							t.Error(err)
							return
						}
						rest = rest[n:]
					}
				})
				if !errors.Is(end, io.EOF) {
					t.Errorf("ended with %v", end)
				}
				if diff := cmp.Diff(wantOfStream(), got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Of a long message that arrives slowly, only the incomplete broadcast is kept.
func TestPartsAreNotKept(t *testing.T) {
	var contents []string
	for n := range 500 {
		contents = append(contents, content(n))
	}
	message := envelope(contents...)
	c := NewConn(nil, nil, codec, NewClock())
	var d desk
	for rest := message; len(rest) > 0; {
		n := min(1000, len(rest))
		if err := c.part(&d, rest[:n], n == len(rest)); err != nil {
			t.Fatal(err)
		}
		if kept := cap(c.unread); kept > 2*len(message)/500 {
			t.Fatalf("%d bytes are kept with %d to come", kept, len(rest)-n)
		}
		rest = rest[n:]
	}
	if b := d.batch; len(b.Stamps) != 500 || b.Frames != 1 || len(c.unread) != 0 {
		t.Errorf("%d stamps in %d frames", len(b.Stamps), b.Frames)
	}
}

// Data that arrived with the handshake, cut anywhere, belongs to what follows.
func TestReceiveEarly(t *testing.T) {
	head := stream()[:1000]
	for _, n := range []int{0, 1, 2, 50, 300, 1000} {
		overTCP(t, func(t *testing.T, client, server net.Conn) {
			got, _ := receive(t, client, server, head[:n], func(server net.Conn) {
				_, _ = server.Write(stream()[n:])
			})
			if len(got.Stamps) != 106 || len(got.Replies) != 1 || got.Bytes != len(stream()) {
				t.Errorf("%d bytes early: %d stamps, %d bytes", n, len(got.Stamps), got.Bytes)
			}
		})
	}
}

func TestReceiveRefuses(t *testing.T) {
	for name, frame := range map[string]ws.Frame{
		"binary":                 ws.NewBinaryFrame(envelope(content(1))),
		"masked":                 ws.MaskFrame(ws.NewTextFrame(envelope(content(1)))),
		"a continuation alone":   ws.NewFrame(ws.OpContinuation, true, nil),
		"a long ping":            ws.NewPingFrame(make([]byte, 126)),
		"a ping in parts":        ws.NewFrame(ws.OpPing, false, nil),
		"an unknown kind":        ws.NewFrame(11, true, nil),
		"compression not agreed": {Header: ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText}},
	} {
		t.Run(name, func(t *testing.T) {
			overTCP(t, func(t *testing.T, client, server net.Conn) {
				got, end := receive(t, client, server, nil, func(server net.Conn) {
					_, _ = server.Write(append(text(envelope(content(0))), ws.MustCompileFrame(frame)...))
				})
				if !errors.Is(end, ErrProtocol) || len(got.Stamps) != 1 {
					t.Errorf("got %d stamps and %v", len(got.Stamps), end)
				}
			})
		})
	}
}

func TestReceiveEndlessMessage(t *testing.T) {
	overTCP(t, func(t *testing.T, client, server net.Conn) {
		_, end := receive(t, client, server, nil, func(server net.Conn) {
			part := make([]byte, 100<<10)
			frame := ws.NewFrame(ws.OpText, false, part)
			for ws.WriteFrame(server, frame) == nil {
				frame = ws.NewFrame(ws.OpContinuation, false, part)
			}
		})
		if !errors.Is(end, ErrProtocol) {
			t.Errorf("ended with %v", end)
		}
	})
}

// The server's close frame is reported and answered; data that arrived before it counts.
func TestClosedByServer(t *testing.T) {
	for name, test := range map[string]struct {
		body []byte
		want CloseError
	}{
		"with a code":    {ws.NewCloseFrameBody(1001, "Going away"), CloseError{1001, "Going away"}},
		"without a code": {nil, CloseError{1005, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			overTCP(t, func(t *testing.T, client, server net.Conn) {
				got, end := receive(t, client, server, nil, func(server net.Conn) {
					_, _ = server.Write(append(text(envelope(content(0))), ws.MustCompileFrame(ws.NewCloseFrame(test.body))...))
					answer, err := readFrame(server)
					want := min(2, len(test.body)) // the code, without the reason
					if err != nil || answer.Header.OpCode != ws.OpClose || int(answer.Header.Length) != want {
						t.Errorf("the answer is %+v, %v", answer.Header, err)
					}
				})
				var closed *CloseError
				if !errors.As(end, &closed) || *closed != test.want || len(got.Stamps) != 1 {
					t.Errorf("got %d stamps and %v, want %v", len(got.Stamps), end, test.want)
				}
			})
		})
	}
}

func TestPing(t *testing.T) {
	overTCP(t, func(t *testing.T, client, server net.Conn) {
		receive(t, client, server, nil, func(server net.Conn) {
			_, _ = server.Write(ws.MustCompileFrame(ws.NewPingFrame([]byte("hello"))))
			pong, err := readFrame(server)
			pong = ws.UnmaskFrameInPlace(pong)
			if err != nil || pong.Header.OpCode != ws.OpPong || string(pong.Payload) != "hello" {
				t.Errorf("got %+v %q, %v", pong.Header, pong.Payload, err)
			}
		})
	})
}

func TestSend(t *testing.T) {
	client, server := net.Pipe()
	c := NewConn(client, nil, codec, NewClock())
	go func() { _ = c.Send(context.Background(), Stamp{N: 3}) }()
	frame, err := readFrame(server)
	if err != nil || !frame.Header.Masked {
		t.Fatalf("got %+v, %v", frame.Header, err)
	}
	if got := string(ws.UnmaskFrameInPlace(frame).Payload); got != string(codec.AppendSend(nil, Stamp{N: 3})) {
		t.Errorf("got %s", got)
	}
}

// After an abandoned write nothing can be sent, since part of the frame may be out, but
// receiving continues.
func TestSendGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		c := NewConn(client, nil, codec, NewClock())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Send(ctx, Stamp{}); err == nil {
			t.Error("sent to a server that does not read")
		}
		if err := c.Send(t.Context(), Stamp{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("sent behind half a frame: %v", err)
		}
		go func() {
			_, _ = server.Write(text(envelope(content(0))))
			server.Close()
		}()
		received := 0
		if end := c.Receive(func(b *Batch) { received += len(b.Stamps) }); end != io.EOF || received != 1 {
			t.Errorf("received %d, %v", received, end)
		}
		c.Close(io.EOF)
	})
}

// The client does not wait long for a server that does not answer the close frame.
func TestLeave(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"answered": func(server net.Conn) {
			if f, err := readFrame(server); err == nil && f.Header.OpCode == ws.OpClose {
				_ = ws.WriteFrame(server, ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))
			}
			server.Close()
		},
		"not answered": func(server net.Conn) { _, _ = io.Copy(io.Discard, server) },
		"not read":     func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer server.Close()
				c := NewConn(client, nil, codec, NewClock())
				go serve(server)
				go c.Leave()
				start := time.Now()
				end := c.Receive(func(*Batch) {})
				c.Close(end)
				if took := time.Since(start); took > closeTimeout {
					t.Errorf("took %v", took)
				}
				var closed *CloseError
				if answered := errors.As(end, &closed); answered != (name == "answered") {
					t.Errorf("ended with %v", end)
				}
			})
		})
	}
}

func TestThrottle(t *testing.T) {
	client, server := tcpPair(t)
	c := NewConn(client, nil, codec, NewClock())
	const chunk = 1 << 10
	reads := 0
	c.Throttle(chunk, func(bytes int) bool {
		reads++
		if bytes > chunk {
			t.Errorf("read %d bytes at once", bytes)
		}
		return reads < 3
	})
	go func() {
		_, _ = io.Copy(server, strings.NewReader(string(stream())))
		server.Close()
	}()
	stamps := 0
	c.Close(c.Receive(func(b *Batch) { stamps += len(b.Stamps) }))
	if stamps != 106 || reads != 3 {
		t.Errorf("%d stamps, %d slow reads", stamps, reads)
	}
}
