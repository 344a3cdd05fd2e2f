package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

const (
	// keepAlive detects connections that died silently, and costs an idle one at most a
	// packet a minute.
	keepAlive = time.Minute
	// shownBody is how much of the body of a refused handshake an error shows.
	shownBody = 200
)

// Dialer opens connections to one URL. It is safe for concurrent use.
type Dialer struct {
	url   string
	ws    ws.Dialer
	codec *Codec
	clock Clock
}

// NewDialer returns a dialer for a ws or wss URL. The header is sent with each handshake;
// Host and Sec-WebSocket-Protocol in it take effect.
func NewDialer(u *url.URL, header http.Header, timeout time.Duration, codec *Codec, clock Clock) *Dialer {
	header = header.Clone()
	d := &Dialer{url: u.String(), codec: codec, clock: clock}
	d.ws = ws.Dialer{
		Timeout:   timeout,
		NetDial:   dialTCP,
		TLSConfig: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
		Host:      header.Get("Host"),
		Protocols: protocols(header),
	}
	header.Del("Host")
	header.Del("Sec-WebSocket-Protocol")
	d.ws.Header = ws.HandshakeHeaderHTTP(header)
	return d
}

// dialTCP prefers IPv4 for localhost, where connections can be spread.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: keepAlive, Control: spreadLoopback}
	if strings.HasPrefix(address, "localhost:") {
		if conn, err := dialer.DialContext(ctx, "tcp4", address); err == nil {
			return conn, nil
		}
	}
	return dialer.DialContext(ctx, network, address)
}

func protocols(header http.Header) []string {
	var all []string
	for _, value := range header.Values("Sec-WebSocket-Protocol") {
		for one := range strings.SplitSeq(value, ",") {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// Dial opens a connection. The error is a *Refusal.
func (d *Dialer) Dial(ctx context.Context) (*Conn, error) {
	var answer string
	dialer := d.ws
	dialer.OnStatusError = func(_ int, _ []byte, response io.Reader) { answer = body(response) }
	sock, buffered, _, err := dialer.Dial(ctx, d.url)
	if err != nil {
		return nil, refusal(err, answer)
	}
	if err := d.codec.greet(sock, d.ws.Timeout); err != nil {
		sock.Close()
		return nil, refusal(err, "")
	}
	return NewConn(sock, drain(buffered), d.codec, d.clock), nil
}

// body returns the beginning of the body of a response.
func body(r io.Reader) string {
	response, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, shownBody)) // as much as arrived
	return strings.TrimSpace(string(text))
}

// drain returns what the server sent right after the handshake.
func drain(r *bufio.Reader) []byte {
	if r == nil {
		return nil
	}
	defer ws.PutReader(r)
	early, _ := r.Peek(r.Buffered()) // cannot fail: that many are buffered
	return append([]byte(nil), early...)
}

// Refusal is a failed attempt to connect.
type Refusal struct {
	Reason string // a few words, the same for all refused for the same reason
	Err    error
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s (%v)", r.Reason, r.Err) }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// causes are the refusals with their own name.
var causes = []struct {
	err    error
	reason string
}{
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, "connection reset"},
	{syscall.EADDRNOTAVAIL, "no local port left (see net.ipv4.ip_local_port_range)"},
	{syscall.EMFILE, "too many open files"},
	{syscall.ENFILE, "too many open files on the machine"},
	{context.DeadlineExceeded, "timeout"},
	{os.ErrDeadlineExceeded, "timeout"},
	{io.EOF, "closed during the handshake"},
	{io.ErrUnexpectedEOF, "closed during the handshake"},
}

func refusal(err error, answer string) *Refusal {
	var status ws.StatusError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &status):
		if answer != "" {
			err = fmt.Errorf("%w: %s", err, answer)
		}
		return &Refusal{fmt.Sprintf("HTTP %d", int(status)), err}
	case errors.As(err, &lookup):
		return &Refusal{"host not found", err}
	case errors.As(err, &certificate):
		return &Refusal{"certificate not trusted", err}
	}
	for _, cause := range causes {
		if errors.Is(err, cause.err) {
			return &Refusal{cause.reason, err}
		}
	}
	return &Refusal{"handshake failed", err}
}
