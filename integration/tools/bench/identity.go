package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/domain"
	"serverless-websocket/functions/app"
)

const (
	benchSecret = "a secret for benchmarks, long enough"
	benchKeyID  = "key"
	dialers     = 16 // clients that connect at once
)

// identityResults are connects a second, medians of the rounds.
type identityResults struct{ none, hs256, es256 float64 }

// measureIdentity connects clients to a gateway without tokens, and with each kind, in
// turn. The clients run in the same process and take their share of it.
func measureIdentity(progress io.Writer, size sizes) (r identityResults, err error) {
	signing, err := newSigning()
	if err != nil {
		return r, err
	}
	defer signing.keySet.Close()
	var none, hs256, es256 []float64
	for range size.rounds {
		for _, m := range []struct {
			cfg    *jwtauth.Config
			token  string
			result *[]float64
		}{
			{nil, "", &none},
			{&jwtauth.Config{Secret: []byte(benchSecret)}, signing.hs256, &hs256},
			{&jwtauth.Config{KeySet: signing.keySet.URL}, signing.es256, &es256},
		} {
			rate, err := connects(m.cfg, m.token, size.connects)
			if err != nil {
				return r, err
			}
			*m.result = append(*m.result, rate)
		}
	}
	r = identityResults{middle(none), middle(hs256), middle(es256)}
	fmt.Fprintf(progress, "identity: %.0f connects/s without tokens, %.0f with HS256, %.0f with ES256\n", r.none, r.hs256, r.es256)
	return r, nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// signing has a token of each kind, and the key set for the one that needs it.
type signing struct {
	hs256, es256 string
	keySet       *httptest.Server
}

func newSigning() (s signing, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return s, err
	}
	claims := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	if s.hs256, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(benchSecret)); err != nil {
		return s, err
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["kid"] = benchKeyID
	if s.es256, err = unsigned.SignedString(key); err != nil {
		return s, err
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return s, err
	}
	encoded := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{ // the point is 4, x, y
		"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": benchKeyID, "x": encoded(public[1:33]), "y": encoded(public[33:]),
	}}})
	s.keySet = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	return s, err
}

// connects opens that many connections to a new gateway and returns how many a second.
func connects(cfg *jwtauth.Config, token string, clients int) (float64, error) {
	gateway, address, err := startGateway(cfg)
	if err != nil {
		return 0, err
	}
	defer gateway.Close(context.Background())
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP{}}
	if token != "" {
		dialer.Header = ws.HandshakeHeaderHTTP{"Authorization": {"Bearer " + token}}
	}
	var next atomic.Int64
	var clientsDone sync.WaitGroup
	errs := make([]error, dialers)
	start := time.Now()
	for i := range dialers {
		clientsDone.Go(func() {
			for errs[i] == nil && next.Add(1) <= int64(clients) {
				var conn net.Conn
				if conn, _, _, errs[i] = dialer.Dial(context.Background(), "ws://"+address); errs[i] == nil {
					conn.Close()
				}
			}
		})
	}
	clientsDone.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return float64(clients) / took.Seconds(), nil
}

// startGateway serves the handlers on a free port, with an authorizer if there is a
// configuration for it.
func startGateway(cfg *jwtauth.Config) (*wsgateway.Gateway, string, error) {
	connections := memstore.New(0)
	s := app.Service{
		Log:         slog.New(slog.DiscardHandler),
		Connections: connections, Subscriptions: memstore.NewSubscriptions(0, connections),
		Jobs: memqueue.New(memqueue.Config{}), Channels: memqueue.New(memqueue.Config{}), Policy: domain.Policy{BroadcastBy: domain.Anyone},
	}
	gatewayConfig := wsgateway.Config{Routes: map[string]wsgateway.Route{}}
	if cfg != nil {
		verifier, err := jwtauth.New(context.Background(), *cfg)
		if err != nil {
			return nil, "", err
		}
		s.Verify = verifier.Verify
		gatewayConfig.Authorizer = s.Authorizer(true).Handle
	}
	for key, route := range s.Handlers().Routes() {
		gatewayConfig.Routes[key] = wsgateway.Route{Integration: wsgateway.Integration(route.Handler), Response: route.Replies}
	}
	gateway, err := wsgateway.New(gatewayConfig)
	if err != nil {
		return nil, "", err
	}
	listener, err := gateway.Listen("127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	go func() { _ = gateway.Serve(listener) }()
	return gateway, listener.Addr().String(), nil
}
