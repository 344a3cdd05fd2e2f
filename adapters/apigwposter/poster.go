// Package apigwposter posts to WebSocket connections through the @connections
// API of API Gateway.
//
// The cost of a fan-out worker is the CPU of its posts, so this is not the SDK's client.
// Posts of one payload differ only in path and signature; everything else is computed
// once per payload or per second. fasthttp pools the connections and reads the answers.
package apigwposter

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/valyala/fasthttp"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Options tune a poster. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each post. Default: 3 s.
	Timeout time.Duration
	// InFlight is the maximum number of posts in flight, each on a TCP connection that is
	// kept for the next. Further posts wait for one to end. Default: 256.
	InFlight int
}

// Poster is a ports.Poster. It speaks HTTP/1.1 even to a server that offers HTTP/2, where
// a post costs more.
type Poster struct {
	target  target
	err     error // of the endpoint's URL
	signer  *signer
	slots   chan struct{} // holds one for each post in flight
	conns   fasthttp.HostClient
	timeout time.Duration
	now     func() time.Time
}

// New returns a poster to the endpoint, an HTTPS URL with the stage as its path. cfg
// provides the region, the credentials, and the TLS settings and dialer of an HTTP client
// made by the SDK or of type *http.Client. The poster uses no proxy.
func New(cfg aws.Config, endpoint string, opts Options) *Poster {
	target, err := parseTarget(endpoint)
	inFlight := cmp.Or(opts.InFlight, 256)
	return &Poster{
		target: target,
		err:    err,
		signer: newSigner(cfg.Credentials, cfg.Region, target),
		slots:  make(chan struct{}, inFlight),
		conns: fasthttp.HostClient{
			Addr:                target.address,
			DialTimeout:         newDialer(cfg.HTTPClient, target).dial,
			MaxConns:            math.MaxInt, // the slots are the limit
			MaxIdleConnDuration: maxIdle,
			ConnPoolStrategy:    fasthttp.LIFO, // connections that a quiet time does not need grow old
			ReadBufferSize:      maxHead,
		},
		timeout: cmp.Or(opts.Timeout, 3*time.Second),
		now:     time.Now,
	}
}

// Prepare checks the payload's length and hashes it. It also fails if the endpoint is
// invalid.
func (p *Poster) Prepare(payload []byte) (ports.Post, error) {
	if len(payload) > domain.MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes: %w", len(payload), ports.ErrTooLarge)
	}
	if p.err != nil {
		return nil, p.err
	}
	c := newContent(payload)
	return func(ctx context.Context, id domain.ConnectionID) error {
		if err := p.send(ctx, request{id: id, content: c}); err != nil {
			return fmt.Errorf("post to %s: %w", id, err)
		}
		return nil
	}, nil
}

// request is a post to a connection, or closes it.
type request struct {
	id      domain.ConnectionID
	content content
	closes  bool
}

// appendRequest appends the signed request, up to the payload, to b.
func (p *Poster) appendRequest(ctx context.Context, b []byte, r request, keys aws.Credentials) ([]byte, error) {
	if r.closes {
		return p.appendClosing(ctx, b, r.id, keys)
	}
	return p.signer.stampFor(keys, p.now()).appendRequest(b, r.id, r.content), nil
}

func (p *Poster) send(ctx context.Context, r request) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ports.ErrNotSent, ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	credentials, err := p.signer.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
	conn, giveBack, err := p.take(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if conn.request, err = p.appendRequest(ctx, conn.request[:0], r, credentials); err != nil {
		giveBack(false)
		return fmt.Errorf("sign: %w", err)
	}
	reader := p.conns.AcquireReader(conn)
	answer, err := conn.exchange(ctx, r.content.payload, reader)
	p.conns.ReleaseReader(reader)
	giveBack(err == nil && !answer.last)
	if err != nil {
		return err
	}
	return answer.err()
}
