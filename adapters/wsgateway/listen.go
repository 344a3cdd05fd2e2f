package wsgateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxPending is the maximum number of handshakes whose head is incomplete. They do
	// not count against MaxConnections. One more closes the oldest of them.
	MaxPending = 500
	// MaxRefusing is the maximum number of sockets on which refusals are sent. They do not
	// count against MaxConnections either. One more closes the oldest of them.
	MaxRefusing = 100
	// refusalTimeout limits sending a refusal and waiting for the client to read it.
	refusalTimeout = time.Second
	// maxAcceptPause is the longest pause after a failure to accept a socket.
	maxAcceptPause = time.Second
)

// Listen listens on a TCP address for Serve. On Linux, the sockets inherit the
// listener's options, including those for PeerTimeout: setting them on each socket
// takes a tenth of the time of a handshake. Serve also accepts other listeners, but
// without these options, and a handshake takes it longer.
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
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return ownListener(l), nil
}

// Serve accepts WebSocket handshakes on "/" and "/{stage}", with or without a
// trailing slash, until the listener is closed. $connect is invoked before the
// WebSocket opens. If its status is not 2xx, the client gets that status and the
// body, and no WebSocket.
//
// If the listener fails for another reason, such as too many open files, Serve keeps
// trying. It logs the first failure and the recovery.
func (g *Gateway) Serve(l net.Listener) error {
	if own, err := g.serveOwn(l); own {
		return err
	}
	for failures := 0; ; {
		sock, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			failures++
			g.observe(func(o Observer) { o.AcceptFailed(err, failures) })
			time.Sleep(acceptPause(failures))
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

// acceptPause is how long Serve accepts nothing after it has failed so many times in a row.
func acceptPause(failures int) time.Duration {
	return min(maxAcceptPause, time.Millisecond<<min(failures, 10))
}

// heads holds the buffers for reading the heads of handshakes.
var heads = sync.Pool{New: func() any { return new([usualHead]byte) }}

// handshake performs the handshake on a socket, and closes it on failure.
func (g *Gateway) handshake(sock net.Conn) {
	g.receive(sock, nil, time.Now().Add(g.cfg.HandshakeTimeout))
}

// receive performs a handshake of which a part can have been read. The rest has to arrive
// in time.
func (g *Gateway) receive(sock net.Conn, early []byte, by time.Time) {
	buffer := heads.Get().(*[usualHead]byte)
	defer heads.Put(buffer)
	pending := g.pending.claim(1, func() { sock.Close() })
	err := sock.SetDeadline(by)
	var head, rest []byte
	if err == nil {
		head, rest, err = readHead(io.MultiReader(bytes.NewReader(early), sock), buffer[:])
	}
	if !pending.release() {
		err = net.ErrClosed // or soon; a connection would go on using the descriptor, which can be another's by then
	}
	finish := func(err error) {
		defer g.running.Done()
		if err != nil {
			g.refuse(sock, err)
		}
	}
	if err != nil {
		finish(err)
		return
	}
	g.upgrade(sock, head, rest, finish)
}

// refuse answers with the error, if it is a refusal, and closes the socket.
func (g *Gateway) refuse(sock net.Conn, err error) {
	if refused, ok := asRefusal(err); ok {
		refusing := g.refusing.claim(1, func() { sock.Close() })
		send(sock, refused)
		refusing.release()
	}
	sock.Close()
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
