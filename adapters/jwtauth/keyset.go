package jwtauth

import (
	"context"
	"errors"
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
	// fetchTimeout bounds a fetch of the key set.
	fetchTimeout = 5 * time.Second
	// unknownKeyWait is how long a token with an unknown key waits for a fetch that it
	// causes. Other handshakes may wait meanwhile, so it is short.
	unknownKeyWait = 500 * time.Millisecond
	// refetchAfter is the shortest time between fetches for unknown keys: tokens with
	// invented keys cost one fetch, and no token waits for the next one.
	refetchAfter = 10 * time.Second
	// refreshEvery is when the key set is fetched anyway, so that withdrawn keys go.
	refreshEvery = time.Hour
	// maxKeySet is the longest key set, in bytes.
	maxKeySet = 1 << 20
)

// keySet has the keys of a key set, by the id in a token's header.
type keySet struct {
	ctx     context.Context // of the fetches
	keys    keyfunc.Keyfunc
	refetch *rate.Limiter
}

// fetched returns the key set at an address, which it fetches.
func fetched(ctx context.Context, address string, log *slog.Logger) (jwt.Keyfunc, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("the address of the key set is not an http or https URL") // which can have a password
	}
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{address}, keyfunc.Override{
		Client:            &http.Client{Transport: limited{http.DefaultTransport}},
		HTTPTimeout:       fetchTimeout,
		RateLimitWaitMax:  fetchTimeout,
		RefreshInterval:   refreshEvery,
		RefreshUnknownKID: rate.NewLimiter(rate.Inf, 0), // see keySet.key
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(ctx context.Context, err error) {
				if failed := new(url.Error); errors.As(err, &failed) {
					err = failed.Err // without the address, whose query can be secret
				}
				log.WarnContext(ctx, "key set not fetched", "host", u.Host, "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if all, err := keys.Storage().KeyReadAll(ctx); err == nil && len(all) == 0 {
		log.ErrorContext(ctx, "no key: tokens are refused until the key set is fetched and has one", "host", u.Host)
	}
	set := &keySet{ctx: ctx, keys: keys, refetch: rate.NewLimiter(rate.Every(refetchAfter), 1)}
	return set.key, nil
}

// key returns the key of a token. If it is not known, and no other was fetched lately,
// key waits a little for a fetch.
func (s *keySet) key(token *jwt.Token) (any, error) {
	ended, end := context.WithCancel(s.ctx)
	end() // no fetch then
	key, err := s.keys.KeyfuncCtx(ended)(token)
	// A token whose key was not looked up needs no fetch, and must not use up one.
	lookedUp := errors.Is(err, context.Canceled)
	if !lookedUp || !s.refetch.Allow() {
		return key, err
	}
	type found struct {
		key any
		err error
	}
	fetched := make(chan found, 1)
	go func() {
		key, err := s.keys.KeyfuncCtx(s.ctx)(token)
		fetched <- found{key, err}
	}()
	select {
	case f := <-fetched:
		return f.key, f.err
	case <-time.After(unknownKeyWait):
		return key, err
	}
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
