package jwtauth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	// fetchTimeout bounds the fetches at the start and every hour.
	fetchTimeout = 5 * time.Second
	// unknownKeyWait bounds the wait of a token with an unknown key, and the fetch for
	// it. Other handshakes may wait meanwhile, so it is short.
	unknownKeyWait = 500 * time.Millisecond
	// refetchAfter is the shortest time between fetches for unknown keys: tokens with
	// invented keys cost one fetch.
	refetchAfter = 10 * time.Second
	// refreshEvery is when the key set is fetched anyway, so that withdrawn keys go.
	refreshEvery = time.Hour
	// maxKeySet is the longest key set, in bytes.
	maxKeySet = 1 << 20
)

// fetched returns the keys of a key set, by the id in a token's header.
func fetched(ctx context.Context, address string, log *slog.Logger) (func(context.Context) jwt.Keyfunc, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", address)
	}
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{address}, keyfunc.Override{
		Client:            &http.Client{Transport: limited{http.DefaultTransport}},
		HTTPTimeout:       fetchTimeout,
		RateLimitWaitMax:  unknownKeyWait,
		RefreshInterval:   refreshEvery,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(refetchAfter), 1),
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(ctx context.Context, err error) { log.WarnContext(ctx, "key set not fetched", "error", err) }
		},
	})
	if err != nil {
		return nil, err
	}
	return keys.KeyfuncCtx, nil
}

// limited bounds the length of responses.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = body{io.LimitReader(response.Body, maxKeySet), response.Body}
	}
	return response, err
}

type body struct {
	io.Reader
	io.Closer
}
