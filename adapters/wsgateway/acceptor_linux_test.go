//go:build !386

package wsgateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
)

// accepting is a gateway on a listener, whose acceptor a test can look into.
type accepting struct {
	*Gateway
	t        *testing.T
	listener *listener
	served   chan error
}

func accept(t *testing.T, cfg Config) *accepting {
	t.Helper()
	g := newGateway(t, cfg)
	l, err := g.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &accepting{g, t, l.(*listener), make(chan error, 1)}
	go func() { a.served <- g.Serve(l) }()
	t.Cleanup(func() { l.Close() })
	return a
}

// stop closes the listener and the gateway.
func (a *accepting) stop() {
	a.t.Helper()
	a.listener.Close()
	if err := await(a.t, a.served); err != nil {
		a.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.Close(ctx); err != nil {
		a.t.Error(err)
	}
}

func (a *accepting) dial() net.Conn {
	a.t.Helper()
	c, err := net.Dial("tcp", a.listener.Addr().String())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { c.Close() })
	return c
}

// awaitWaiting waits until that many sockets wait for their handshakes.
func (a *accepting) awaitWaiting(sockets int) {
	a.t.Helper()
	testenv.Eventually(a.t, patience, "sockets that wait", func() bool {
		a.listener.mu.Lock()
		acceptor := a.listener.acceptor
		a.listener.mu.Unlock()
		if acceptor == nil {
			return false
		}
		acceptor.mu.Lock()
		defer acceptor.mu.Unlock()
		return len(acceptor.waiting) == sockets
	})
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// expectStatus reads the status line of an answer.
func expectStatus(t *testing.T, c net.Conn, status string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len("HTTP/1.1 "+status))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "HTTP/1.1 "+status {
		t.Errorf("got %q (%v), want status %s", got, err, status)
	}
}

// A handshake can arrive late and in pieces.
func TestHandshakeArrives(t *testing.T) {
	for name, pieces := range map[string][]string{
		"at once":          {validHead},
		"in two":           {validHead[:10], validHead[10:]},
		"in the end of it": {validHead[:len(validHead)-2], "\r\n"},
		"in three":         {"G", validHead[1:100], validHead[100:]},
	} {
		t.Run(name, func(t *testing.T) {
			a := accept(t, Config{})
			c := a.dial()
			a.awaitWaiting(1)
			for _, piece := range pieces {
				write(t, c, piece)
				a.awaitWaiting(0)
			}
			expectStatus(t, c, "101")
			c.Close()
			a.stop()
		})
	}
}

// What cannot become a handshake is refused before it is complete.
func TestWhatIsNotHTTPIsRefused(t *testing.T) {
	a := accept(t, Config{})
	c := a.dial()
	a.awaitWaiting(1)
	write(t, c, "\x16\x03\x01")
	expectStatus(t, c, "400")
	a.stop()
}

// A socket on which nothing arrives is closed in time, or when its client is gone.
func TestSilentSocketIsClosed(t *testing.T) {
	a := accept(t, Config{HandshakeTimeout: 100 * time.Millisecond})
	start := time.Now()
	silent, gone := a.dial(), a.dial()
	gone.Close()
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(start) < 100*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	a.awaitWaiting(0)
	a.pending.mu.Lock()
	if n := a.pending.used; n != 0 {
		t.Errorf("%d still count as pending", n)
	}
	a.pending.mu.Unlock()
	a.stop() // which waits for all
}

// Of the sockets that wait for their handshakes, the oldest makes room.
func TestOldestSilentSocketMakesRoom(t *testing.T) {
	a := accept(t, Config{HandshakeTimeout: time.Hour})
	oldest := a.dial()
	a.awaitWaiting(1)
	for range MaxPending {
		a.dial()
	}
	if _, err := oldest.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the oldest: %v", err)
	}
	a.awaitWaiting(MaxPending)
	a.stop() // which closes all
}

// The sockets of a closed listener may still send their handshakes.
func TestListenerIsClosedDuringHandshakes(t *testing.T) {
	a := accept(t, Config{})
	c, silent := a.dial(), a.dial()
	a.awaitWaiting(2)
	if err := a.listener.Close(); err != nil {
		t.Error(err)
	}
	if err := await(t, a.served); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", a.listener.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a later client: %v", err)
	}
	write(t, c, validHead)
	expectStatus(t, c, "101")
	c.Close()
	silent.Close()
	if err := a.listener.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if err := a.Serve(a.listener); err != nil {
		t.Errorf("served again: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Clients whose $connect takes long keep no one out.
func TestSlowConnectKeepsNoOneOut(t *testing.T) {
	const slow = 50
	release := make(chan struct{})
	a := accept(t, Config{Routes: map[string]Route{connectRoute: {
		Integration: func(_ context.Context, e event) (response, error) {
			if e.QueryStringParameters["slow"] != "" {
				<-release
			}
			return response{StatusCode: 200}, nil
		},
	}}})
	var waiting []net.Conn
	for range slow {
		c := a.dial()
		write(t, c, changed("GET /", "GET /?slow=1"))
		waiting = append(waiting, c)
	}
	for range 3 {
		c := a.dial()
		write(t, c, validHead)
		expectStatus(t, c, "101")
		c.Close()
	}
	close(release)
	for _, c := range waiting {
		expectStatus(t, c, "101")
		c.Close()
	}
	a.stop()
}

// A $connect that exceeds its time is abandoned: its client is answered, and Close waits for
// it.
func TestConnectIsAbandoned(t *testing.T) {
	release := make(chan struct{})
	a := accept(t, Config{MaxConnections: 1, IntegrationTimeout: 50 * time.Millisecond, Routes: map[string]Route{connectRoute: {
		Integration: func(context.Context, event) (response, error) { <-release; return response{StatusCode: 200}, nil },
	}}})
	for range 2 { // the first gives its slot back
		c := a.dial()
		write(t, c, validHead)
		expectStatus(t, c, "502")
		c.Close()
	}
	closed := make(chan error, 1)
	a.listener.Close()
	go func() { closed <- a.Close(context.Background()) }()
	select {
	case err := <-closed:
		t.Errorf("closed during calls: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	if err := await(t, closed); err != nil {
		t.Error(err)
	}
	if n := a.count(); n != 0 {
		t.Errorf("%d connections opened", n)
	}
}

// acceptEvents are those that concern accepting.
type acceptEvents struct {
	Observer
	failed chan error
	again  chan int
}

func (e acceptEvents) AcceptFailed(err error, failures int) {
	select {
	case e.failed <- err:
	default:
	}
}
func (e acceptEvents) AcceptRecovered(failures int) { e.again <- failures }

// Without descriptors nothing is accepted; what waits is accepted later. Meanwhile the
// sockets that have been accepted are served.
func TestNoDescriptorsLeft(t *testing.T) {
	heard := acceptEvents{logObserver{slog.New(slog.DiscardHandler)}, make(chan error, 1), make(chan int, 1)}
	a := accept(t, Config{Observer: heard})
	before := a.dial()
	a.awaitWaiting(1)
	late, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(late)
	restore := limitDescriptors(t)
	defer restore()
	port := a.listener.Addr().(*net.TCPAddr).Port
	if err := syscall.Connect(late, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
		t.Fatal(err)
	}
	if err := await(t, heard.failed); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("failed with %v", err)
	}
	write(t, before, validHead)
	expectStatus(t, before, "101")
	time.Sleep(50 * time.Millisecond) // for about five failures, each after twice the pause
	restore()
	if n := await(t, heard.again); n < 1 || n > 20 {
		t.Errorf("after %d failures", n)
	}
	a.awaitWaiting(1)
	before.Close()
	a.stop()
}

// limitDescriptors leaves no descriptor to the process until the function that it returns
// is called.
func limitDescriptors(t *testing.T) func() {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	next, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(next)
	lower := limit
	lower.Cur = uint64(next)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lower); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
}

// Events have the client's address alone, as IPv4 if it is that.
func TestSourceIP(t *testing.T) {
	for client, address := range map[string]string{"::1": "[::1]:0", "127.0.0.1": ":0"} {
		connected := make(chan event, 1)
		g := newGateway(t, Config{Routes: map[string]Route{connectRoute: {Integration: record(connected)}}})
		l, err := g.Listen(address)
		if err != nil {
			testenv.Skip(t, "no IPv6: %v", err)
		}
		a := &accepting{g, t, l.(*listener), make(chan error, 1)}
		go func() { a.served <- g.Serve(l) }()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		c, err := net.Dial("tcp", net.JoinHostPort(client, port))
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, validHead)
		if ip := await(t, connected).RequestContext.Identity.SourceIP; ip != client {
			t.Errorf("source %q, want %q", ip, client)
		}
		expectStatus(t, c, "101")
		c.Close()
		a.stop()
	}
}

// A page's origin is compared with the address at which the gateway was reached.
func TestOriginOverAnOwnSocket(t *testing.T) {
	a := accept(t, Config{})
	for host, status := range map[string]string{"localhost": "101", "evil.example": "403"} {
		c := a.dial()
		write(t, c, changed("Host: localhost:3001", "Host: "+host+"\r\nOrigin: http://"+host))
		expectStatus(t, c, status)
		c.Close()
	}
	a.stop()
}
