//go:build unix

package apigwposter

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// patience is the time limit of posts that are not meant to time out.
const patience = 20 * time.Second

const (
	taken = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	gone  = "HTTP/1.1 410 Gone\r\nX-Amzn-ErrorType: GoneException\r\nContent-Length: 0\r\n\r\n"
)

// rogue is a TLS server that does not keep to HTTP, and a poster to it, which makes
// one post at a time unless its options say otherwise.
type rogue struct {
	*testing.T
	certificate tls.Certificate
	poster      *Poster
	accepted    atomic.Int64
	scripts     []script
	mended      atomic.Bool // further connections are good
}

// script is what the server does with a connection.
type script func(net.Conn, *peer) error

// newRogue returns a server that uses one script per connection, and the last one for all
// further connections.
func newRogue(t *testing.T, opts Options, scripts ...script) *rogue {
	r := &rogue{T: t, scripts: scripts}
	ts := httptest.NewTLSServer(nil) // for its certificate
	ts.Close()
	r.certificate = ts.TLS.Certificates[0]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go r.serve(listener)
	roots := x509.NewCertPool()
	roots.AddCert(ts.Certificate())
	opts.InFlight = cmp.Or(opts.InFlight, 1)
	opts.Timeout = cmp.Or(opts.Timeout, patience)
	r.poster = New(aws.Config{
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}, "https://"+listener.Addr().String()+"/dev", opts)
	t.Cleanup(r.poster.conns.CloseIdleConnections)
	return r
}

func (r *rogue) serve(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		n := int(r.accepted.Add(1))
		run := r.scripts[min(n, len(r.scripts))-1]
		if r.mended.Load() {
			run = good
		}
		go r.converse(c, run)
	}
}

// converse keeps the connection until the client hangs up, unless the script closes it.
func (r *rogue) converse(c net.Conn, run script) {
	defer c.Close()
	if err := run(c, nil); !errors.Is(err, errTLS) {
		return
	}
	p, err := newPeer(c, r.certificate)
	if err == nil {
		err = run(c, p)
	}
	if err == nil {
		_, _ = io.Copy(io.Discard, c)
	}
}

// errTLS asks for a handshake.
var errTLS = errors.New("not without TLS")

// secured is a script for a connection with TLS.
func secured(run func(*peer) error) script {
	return func(_ net.Conn, p *peer) error {
		if p == nil {
			return errTLS
		}
		return run(p)
	}
}

// good answers every post correctly.
var good = secured(func(p *peer) error {
	for {
		if err := p.request(); err != nil {
			return err
		}
		if err := p.send(p.data(taken)); err != nil {
			return err
		}
	}
})

// answering answers one post with what records returns.
func answering(records func(p *peer) []string) script {
	return secured(func(p *peer) error {
		if err := p.request(); err != nil {
			return err
		}
		return p.send(records(p)...)
	})
}

// post posts a payload of so many bytes.
func (r *rogue) post(ctx context.Context, size int) error {
	post, err := r.poster.Prepare(make([]byte, size))
	if err != nil {
		r.Fatal(err)
	}
	return post(ctx, domain.ConnectionID(fmt.Sprint("to-", size)))
}

// succeeds makes a post, which must succeed; the total number of connections made so far
// must match.
func (r *rogue) succeeds(conns int64) {
	r.Helper()
	if err := r.post(r.Context(), 10); err != nil {
		r.Errorf("a post that should succeed: %v", err)
	}
	r.made(conns)
}

// mend makes further connections good, and posts.
func (r *rogue) mend() {
	r.Helper()
	r.mended.Store(true)
	r.poster.timeout = patience
	for range 2 {
		if err := r.post(r.Context(), 10); err != nil {
			r.Errorf("a post after those that failed: %v", err)
		}
	}
}

// fails makes a post, which must fail without revealing whether it arrived.
func (r *rogue) fails() error {
	r.Helper()
	err := r.post(r.Context(), 10)
	for _, known := range []error{ports.ErrGone, ports.ErrThrottled, ports.ErrTooLarge, ports.ErrNotSent} {
		if err == nil || errors.Is(err, known) {
			r.Errorf("got %v, want an error without a sentinel", err)
		}
	}
	return err
}

func (r *rogue) made(conns int64) {
	r.Helper()
	if n := r.accepted.Load(); n != conns {
		r.Errorf("%d connections were made, want %d", n, conns)
	}
}

// await waits until something has arrived on each idle connection.
func (r *rogue) await() {
	r.Helper()
	pool := &r.poster.conns
	for range pool.IdleConnsCount() {
		held, err := pool.AcquireConn(time.Second, false)
		if err != nil {
			r.Fatal(err)
		}
		defer pool.ReleaseConn(held)
		awaitArrival(r.T, held.Conn().(*conn).socket.Conn)
	}
}

func awaitArrival(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if err := raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		return err != syscall.EAGAIN
	}); err != nil {
		t.Fatalf("nothing arrived: %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
}
