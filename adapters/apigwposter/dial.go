package apigwposter

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxHandshakes is how many connections can be opening at once. Handshakes cost CPU: if a
// burst made hundreds of them in parallel on a slice of a core, none would finish in
// time.
const maxHandshakes = 16

// dialer opens connections to the target.
type dialer struct {
	target     target
	dialSocket func(ctx context.Context, network, address string) (net.Conn, error)
	tls        *tls.Config
	handshakes chan struct{} // holds one for each connection that is opening
}

// newDialer uses the client's TLS settings and dialer if the client exposes them.
func newDialer(client aws.HTTPClient, t target) *dialer {
	settings := transportOf(client)
	dialSocket := settings.DialContext
	if dialSocket == nil {
		dialSocket = new(net.Dialer).DialContext
	}
	return &dialer{
		target:     t,
		dialSocket: dialSocket,
		tls:        tlsConfig(settings.TLSClientConfig, t),
		handshakes: make(chan struct{}, maxHandshakes),
	}
}

// dial is a fasthttp.DialFuncWithTimeout to the one address there is.
func (d *dialer) dial(_ string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	select {
	case d.handshakes <- struct{}{}:
		defer func() { <-d.handshakes }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	raw, err := d.dialSocket(ctx, "tcp", d.target.address)
	if errors.Is(err, os.ErrDeadlineExceeded) { // as the network has it
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	if err != nil {
		return nil, err
	}
	return d.secure(ctx, newSocket(raw, d.target.tls))
}

func (d *dialer) secure(ctx context.Context, s *socket) (net.Conn, error) {
	if !s.secured {
		return &conn{Conn: s, socket: s}, nil
	}
	secured := tls.Client(s, d.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return &conn{Conn: secured, socket: s}, nil
}

func transportOf(client aws.HTTPClient) *http.Transport {
	switch c := client.(type) {
	case interface{ GetTransport() *http.Transport }: // awshttp.BuildableClient
		return c.GetTransport()
	case *http.Client:
		if t, ok := c.Transport.(*http.Transport); ok {
			return t
		}
	}
	return new(http.Transport)
}

// tlsConfig lets connections after the first resume its TLS session, which saves both
// sides most of the handshake.
func tlsConfig(settings *tls.Config, t target) *tls.Config {
	config := settings.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.ServerName = cmp.Or(config.ServerName, t.hostname)
	config.NextProtos = []string{"http/1.1"}
	config.Renegotiation = tls.RenegotiateNever
	if config.ClientSessionCache == nil {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return config
}
