package apigwposter

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// newDialer returns what opens a connection to the target with the client's TLS
// settings and dialer, as far as the client shows them.
func newDialer(client aws.HTTPClient, t target) func(context.Context) (*conn, error) {
	settings := transportOf(client)
	dial := settings.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	config := tlsConfig(settings.TLSClientConfig, t)
	return func(ctx context.Context) (*conn, error) {
		socket, err := dial(ctx, "tcp", t.address)
		if err != nil {
			return nil, err
		}
		if !t.tls {
			return newConn(socket, socket), nil
		}
		secured := tls.Client(socket, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = socket.Close()
			return nil, err
		}
		return newConn(socket, secured), nil
	}
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

// tlsConfig lets the connections after the first resume its TLS session, which
// saves both sides most of the handshake.
func tlsConfig(settings *tls.Config, t target) *tls.Config {
	config := settings.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.ServerName = cmp.Or(config.ServerName, t.hostname)
	config.NextProtos = []string{"http/1.1"}
	if config.ClientSessionCache == nil {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return config
}
