package wsgateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxPending is the maximum number of handshakes whose head is incomplete. They do
	// not count against MaxConnections. One more closes the oldest of them.
	MaxPending = 500
	// refusalTimeout limits sending a refusal and waiting for the client to read it.
	refusalTimeout = time.Second
	// maxAcceptPause is the longest pause after a failure to accept a socket.
	maxAcceptPause = time.Second
)

// Listen listens on a TCP address for Serve. On Linux, the sockets inherit the
// listener's options, including those for PeerTimeout: setting them on each socket
// takes a tenth of the time of a handshake. Serve also accepts other listeners, but
// without these options.
func (g *Gateway) Listen(address string) (net.Listener, error) {
	config := net.ListenConfig{
		KeepAlive: -1, // see tune
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			if controlled := raw.Control(func(fd uintptr) { err = tune(fd, g.cfg.PeerTimeout) }); controlled != nil {
				return controlled
			}
			return err
		},
	}
	config.SetMultipathTCP(false) // it lacks some of the options
	return config.Listen(context.Background(), "tcp", address)
}

// Serve accepts WebSocket handshakes on "/" and "/{stage}", with or without a
// trailing slash, until the listener is closed. $connect is invoked before the
// WebSocket opens. If its status is not 2xx, the client gets that status and the
// body, and no WebSocket.
//
// If the listener fails for another reason, such as too many open files, Serve keeps
// trying. It logs the first failure and the recovery.
func (g *Gateway) Serve(l net.Listener) error {
	for failures := 0; ; {
		sock, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			failures++
			g.observe(func(o Observer) { o.AcceptFailed(err, failures) })
			time.Sleep(min(maxAcceptPause, time.Millisecond<<min(failures, 10)))
			continue
		case failures > 0:
			g.observe(func(o Observer) { o.AcceptRecovered(failures) })
			failures = 0
		}
		if g.begin() {
			g.goroutines.run(func() { g.handshake(sock) })
		} else {
			sock.Close()
		}
	}
}

// heads holds the buffers for reading the heads of handshakes.
var heads = sync.Pool{New: func() any { return new([usualHead]byte) }}

// handshake performs the handshake on a socket, and closes it on failure.
func (g *Gateway) handshake(sock net.Conn) {
	defer g.running.Done()
	buffer := heads.Get().(*[usualHead]byte)
	defer heads.Put(buffer)
	pending := g.pending.claim(1, func() { sock.Close() })
	err := sock.SetDeadline(time.Now().Add(g.cfg.HandshakeTimeout))
	var head, rest []byte
	if err == nil {
		head, rest, err = readHead(sock, buffer[:])
	}
	pending.release()
	if err == nil {
		err = g.upgrade(sock, head, rest)
	}
	if refused, ok := asRefusal(err); ok {
		send(sock, refused)
	}
	if err != nil {
		sock.Close()
	}
}

// upgrade turns the socket into a connection. The error is a refusal.
func (g *Gateway) upgrade(sock net.Conn, head, rest []byte) error {
	r, err := parseRequest(head)
	if err == nil {
		err = g.check(r, sock.LocalAddr())
	}
	if err == nil {
		err = g.admitConnection()
	}
	if err != nil {
		return err
	}
	defer g.handshakes.Done()
	c := g.newConn(r, sock)
	response, err := g.connect(r, c)
	if err != nil {
		g.release()
		return err
	}
	g.open(c, response, rest)
	return nil
}

// connect invokes $connect and returns the handshake's response. The error is a
// refusal.
func (g *Gateway) connect(r *request, c *conn) ([]byte, error) {
	event := c.connectEvent(r)
	if err := g.authorize(c, event); err != nil {
		return nil, err
	}
	route, ok := g.cfg.Routes[connectRoute]
	if !ok {
		return accepted(r, nil), nil
	}
	event.RequestContext.Authorizer = c.authorizer
	g.calls.enter()
	answer, err := invoke(g, route.Integration, event)
	g.calls.leave()
	subprotocols := subprotocol(answer.Headers, answer.MultiValueHeaders)
	if err == nil {
		err = checkAnswer(answer.StatusCode, subprotocols)
	}
	if err != nil {
		g.integrationFailed(event, err)
		return nil, refuseWith(http.StatusBadGateway, c.gatewayMessage("Internal server error", event))
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return nil, refusal{answer.StatusCode, "text/plain; charset=utf-8", answer.Body}
	}
	return accepted(r, subprotocols), nil
}

// checkAnswer returns an error for a status that an HTTP response cannot have, and for
// a subprotocol that would break out of its header.
func checkAnswer(status int, subprotocols []string) error {
	if status < 200 || status > 599 {
		return fmt.Errorf("integration answered with status %d", status)
	}
	for _, s := range subprotocols {
		if !isFieldValue(s) {
			return fmt.Errorf("integration answered with subprotocol %q", s)
		}
	}
	return nil
}

// open starts the connection. From here on, it takes posts. The handshake's response
// is queued as its first frame, so that no post overtakes it or waits for it.
func (g *Gateway) open(c *conn, response, rest []byte) {
	c.mu.Lock()
	c.attach(rest)
	g.add(c)
	c.enqueue(response)
	c.mu.Unlock()
	g.observe(func(o Observer) { o.ConnectionOpened(c.id) })
	g.running.Add(1)
	if !c.park() {
		g.goroutines.run(c.serve)
	}
}

// send answers the request and gives the client time to read the answer: closing a
// socket with unread data resets it.
func send(sock net.Conn, r refusal) {
	_ = sock.SetDeadline(time.Now().Add(refusalTimeout)) // fails on a closed socket, as the write will
	if _, err := sock.Write(r.response()); err != nil {
		return
	}
	if half, ok := sock.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, sock, maxHead) // the outcome does not matter
	}
}
