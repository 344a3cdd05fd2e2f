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
	// MaxPending is how many handshakes there may be of which the head has not come
	// yet, beside MaxConnections. One more ends the one that has been waited for the
	// longest.
	MaxPending = 500
	// refusalTimeout is for sending a refusal, and for the client to read it.
	refusalTimeout = time.Second
	// maxAcceptPause is the longest pause after the operating system had no socket
	// to give.
	maxAcceptPause = time.Second
)

// Listen announces an address for Serve. On Linux, the sockets inherit the options
// that the listener has, those for PeerTimeout among them: to set them one by one
// is a tenth of a handshake's cost. Serve takes other listeners too, without them.
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
	config.SetMultipathTCP(false) // which lacks some of the options
	return config.Listen(context.Background(), "tcp", address)
}

// Serve takes WebSocket handshakes on "/" and "/{stage}", either with or without
// a slash at the end, until the listener is closed. $connect is invoked before
// the socket opens, and its status decides: after one that is not 2xx, the client
// gets that status and the body, and no socket.
//
// While the operating system has no more sockets to give, Serve logs that once,
// and goes on when it has.
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

// heads has the buffers that the heads of handshakes are read into.
var heads = sync.Pool{New: func() any { return new([usualHead]byte) }}

// handshake sees a socket through its handshake, and closes it if that fails.
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

// upgrade makes the socket a connection. The error, if there is no connection,
// is a refusal.
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
	route, ok := g.cfg.Routes[connectRoute]
	if !ok {
		return accepted(r, nil), nil
	}
	event := c.connectEvent(r)
	g.calls.enter()
	answer, err := g.invoke(route.Integration, event)
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

// checkAnswer refuses what cannot be the status of an HTTP response, or would
// break out of its header.
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

// open starts the connection. Posts find it from here on. Its response is the
// first of its frames, so that no post comes before it, and none waits for it.
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

// send answers the request, and lets the client read that: closing a socket with
// data unread resets it.
func send(sock net.Conn, r refusal) {
	_ = sock.SetDeadline(time.Now().Add(refusalTimeout)) // fails on a closed socket, as the write will
	if _, err := sock.Write(r.response()); err != nil {
		return
	}
	if half, ok := sock.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, sock, maxHead) // whatever it sent or did not
	}
}
