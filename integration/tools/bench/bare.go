package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/valyala/fasthttp"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// postTimeout is long: no run should fail because the machine is busy.
const postTimeout = 30 * time.Second

// viaNetHTTP is the minimum with net/http: no SDK, requests without the lookups and
// copies of http.NewRequest, and resumed TLS sessions.
func viaNetHTTP(t target) (ports.Post, error) {
	signer, err := newSigner(t)
	if err != nil {
		return nil, err
	}
	transport := tunedTransport(t, t.HTTP2)
	transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return func(ctx context.Context, id domain.ConnectionID) error {
		ctx, cancel := context.WithTimeout(ctx, postTimeout)
		defer cancel()
		s := signer.sign(id, time.Now())
		request := &http.Request{
			Method:        http.MethodPost,
			URL:           &url.URL{Scheme: "https", Host: signer.host, Opaque: s.path},
			Header:        http.Header{"Content-Type": {contentType}, "X-Amz-Date": {s.date}, "Authorization": {s.authorization}, "User-Agent": nil},
			Body:          io.NopCloser(bytes.NewReader(t.payload)),
			ContentLength: int64(len(t.payload)),
		}
		return check(transport.RoundTrip(request.WithContext(ctx)))
	}, nil
}

// viaFastHTTP is fasthttp out of the box. It gives up a post when it times out, but not
// when its context is cancelled, which would require a goroutine per post.
func viaFastHTTP(t target) (ports.Post, error) {
	signer, err := newSigner(t)
	if err != nil {
		return nil, err
	}
	client := &fasthttp.HostClient{
		Addr:                     signer.host,
		IsTLS:                    true,
		TLSConfig:                &tls.Config{RootCAs: t.roots, ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		MaxConns:                 t.inFlight,
		ConnPoolStrategy:         fasthttp.LIFO,
		NoDefaultUserAgentHeader: true,
		DisablePathNormalizing:   true,
	}
	return func(_ context.Context, id domain.ConnectionID) error {
		request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(request)
		defer fasthttp.ReleaseResponse(response)
		s := signer.sign(id, time.Now())
		request.SetRequestURI("https://" + signer.host + s.path)
		request.Header.SetMethod(http.MethodPost)
		request.Header.SetContentType(contentType)
		request.Header.Set("X-Amz-Date", s.date)
		request.Header.Set("Authorization", s.authorization)
		request.SetBodyRaw(t.payload)
		if err := client.DoTimeout(request, response, postTimeout); err != nil {
			return err
		}
		if response.StatusCode() != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode())
		}
		return nil
	}, nil
}
