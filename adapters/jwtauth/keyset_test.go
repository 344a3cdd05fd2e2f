package jwtauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/domain"
)

// issuer serves a key set and signs with its keys.
type issuer struct {
	t       *testing.T
	url     string
	fetches atomic.Int64
	hangs   atomic.Pointer[chan struct{}] // until this is closed; nil for not
	gaveUp  atomic.Int64                  // fetches that ended before

	mu   sync.Mutex
	set  []map[string]string
	more string // before the keys, so that the set gets longer
	keys map[string]crypto.Signer
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, keys: map[string]crypto.Signer{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		if until := i.hangs.Load(); until != nil {
			select {
			case <-*until:
			case <-r.Context().Done():
				i.gaveUp.Add(1)
			}
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"more": i.more, "keys": i.set}) // the verifier sees what is cut
	}))
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func b64(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

// add makes a key for the algorithm and publishes it.
func (i *issuer) add(id, algorithm string) {
	i.t.Helper()
	published := map[string]string{"kid": id, "alg": algorithm, "use": "sig"}
	var key crypto.Signer
	var err error
	switch algorithm {
	case "RS256":
		var k *rsa.PrivateKey
		k, err = rsa.GenerateKey(rand.Reader, 2048)
		published["kty"], published["n"], published["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
		key = k
	case "ES256":
		var k *ecdsa.PrivateKey
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		public, _ := k.PublicKey.Bytes() // 4, x and y
		published["kty"], published["crv"], published["x"], published["y"] = "EC", "P-256", b64(public[1:33]), b64(public[33:])
		key = k
	case "EdDSA":
		var public ed25519.PublicKey
		public, key, err = ed25519.GenerateKey(rand.Reader)
		published["kty"], published["crv"], published["x"] = "OKP", "Ed25519", b64(public)
	}
	if err != nil {
		i.t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[id] = key
	i.set = append(i.set, published)
}

func (i *issuer) sign(id, algorithm string, key any) string {
	i.t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), good(nil))
	token.Header["kid"] = id
	signed, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return signed
}

func (i *issuer) verifier() *jwtauth.Verifier {
	i.t.Helper()
	v, err := jwtauth.New(i.t.Context(), jwtauth.Config{KeySet: i.url, Audience: "chat", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

func (i *issuer) wants(v *jwtauth.Verifier, what, token string, valid bool) {
	i.t.Helper()
	p, err := v.Verify(context.Background(), token)
	if (err == nil) != valid || valid && p.User != "alice" || !valid && p != (domain.Principal{}) {
		i.t.Errorf("%s: %+v, %v; want valid %v", what, p, err, valid)
	}
}

func TestTokensOfAKeySet(t *testing.T) {
	i := newIssuer(t)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		i.add(algorithm, algorithm)
	}
	v := i.verifier()
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		i.wants(v, algorithm, i.sign(algorithm, algorithm, i.keys[algorithm]), true)
	}
	i.wants(v, "another key's id", i.sign("EdDSA", "RS256", i.keys["RS256"]), false)
	i.wants(v, "a longer hash", i.sign("RS256", "RS512", i.keys["RS256"]), false)
	i.wants(v, "none", i.sign("RS256", "none", jwt.UnsafeAllowNoneSignatureType), false)

	// A public key is no secret. A verifier that takes it for one lets anyone sign.
	der, err := x509.MarshalPKIXPublicKey(i.keys["RS256"].Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	i.wants(v, "a public key as the secret", i.sign("RS256", "HS256", public), false)
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// A new key of the issuer is fetched when its first token comes. Invented keys cost one
// fetch together, and delay no one.
func TestUnknownKeys(t *testing.T) {
	i := newIssuer(t)
	i.add("old", "EdDSA")
	v := i.verifier()
	old := i.sign("old", "EdDSA", i.keys["old"])
	i.wants(v, "the old key", old, true)
	i.add("new", "EdDSA")
	i.wants(v, "the new key", i.sign("new", "EdDSA", i.keys["new"]), true)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var attacks sync.WaitGroup
	for n := range 1000 {
		token := i.sign("invented-"+strconv.Itoa(n), "EdDSA", stranger)
		attacks.Go(func() { i.wants(v, "an invented key", token, false) })
	}
	i.wants(v, "the old key under attack", old, true)
	attacks.Wait()
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want one at the start and one for the new key", n)
	}
}

// Tokens whose keys are never looked up use up no fetch that an honest one needs.
func TestTokensThatNeedNoFetch(t *testing.T) {
	i := newIssuer(t)
	i.add("old", "EdDSA")
	v := i.verifier()
	old := i.keys["old"]
	for what, header := range map[string]map[string]any{
		"an id that is a number": {"kid": 5}, "an id that is null": {"kid": nil}, "another algorithm": {"kid": "old", "alg": "RS256"},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, good(nil))
		maps.Copy(token.Header, header)
		signed, err := token.SignedString(old)
		if err != nil {
			t.Fatal(err)
		}
		i.wants(v, what, signed, false)
	}
	i.add("new", "EdDSA")
	i.wants(v, "the new key", i.sign("new", "EdDSA", i.keys["new"]), true)
}

// A key set that is too long is cut, and so not read.
func TestALongKeySetIsNotRead(t *testing.T) {
	i := newIssuer(t)
	i.add("key", "EdDSA")
	i.more = strings.Repeat("x", 2<<20)
	i.wants(i.verifier(), "a key of a long set", i.sign("key", "EdDSA", i.keys["key"]), false)
}

// The service starts when the issuer does not answer, and finds the keys later.
func TestAnIssuerThatIsDownAtFirst(t *testing.T) {
	i := newIssuer(t)
	var log bytes.Buffer
	v, err := jwtauth.New(t.Context(), jwtauth.Config{KeySet: i.url, Log: slog.New(slog.NewTextHandler(&log, nil))}) // has no keys yet
	if err != nil || !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("%v; without keys: %q", err, &log)
	}
	i.add("key", "EdDSA")
	i.wants(v, "a key that came later", i.sign("key", "EdDSA", i.keys["key"]), true)
}

// A fetch that takes long holds up no token for long: other handshakes wait for it.
func TestAnIssuerThatHangsHoldsUpNobody(t *testing.T) {
	i := newIssuer(t)
	i.add("known", "EdDSA")
	v := i.verifier()
	released := make(chan struct{})
	defer close(released)
	i.hangs.Store(&released)
	for range 3 {
		i.wants(v, "an invented key", i.sign("invented", "EdDSA", i.keys["known"]), false)
		i.wants(v, "a known key", i.sign("known", "EdDSA", i.keys["known"]), true)
	}
	if fetches, gaveUp := i.fetches.Load(), i.gaveUp.Load(); fetches != 2 || gaveUp != 0 {
		t.Errorf("%d fetches, of which %d ended before the tokens were answered", fetches, gaveUp)
	}
}

// The address of a key set can have a password or a key in it.
func TestTheAddressOfAKeySetIsNotLogged(t *testing.T) {
	i := newIssuer(t)
	down := strings.Replace(i.url, "127.0.0.1:", "user:PASSWORD@127.0.0.1:1", 1) + "/?key=PASSWORD" // no such port
	var log bytes.Buffer
	_, err := jwtauth.New(t.Context(), jwtauth.Config{KeySet: down, Log: slog.New(slog.NewTextHandler(&log, nil))})
	_, odd := jwtauth.New(t.Context(), jwtauth.Config{KeySet: "ftp://user:PASSWORD@issuer.example"})
	for _, said := range []string{log.String(), fmt.Sprint(err), fmt.Sprint(odd)} {
		if strings.Contains(said, "PASSWORD") {
			t.Errorf("%s", said)
		}
	}
	if err == nil && log.Len() == 0 || odd == nil {
		t.Errorf("nothing was said: %v, %v", err, odd)
	}
}
