package jwtauth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/domain"
)

const secret = "0123456789abcdef0123456789abcdef"

func verifier(t *testing.T, cfg jwtauth.Config) *jwtauth.Verifier {
	t.Helper()
	cfg.Secret = []byte(secret)
	v, err := jwtauth.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// good returns claims that are valid, with changes; nil removes a claim.
func good(changes jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub": "alice", "exp": time.Now().Add(time.Hour).Unix(), "iss": "https://issuer.example", "aud": "chat",
	}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func signed(t *testing.T, method jwt.SigningMethod, claims jwt.MapClaims, key any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAGoodTokenNamesItsUser(t *testing.T) {
	v := verifier(t, jwtauth.Config{Issuer: "https://issuer.example", Audience: "chat"})
	expires := time.Now().Add(time.Hour + 30*time.Second) // with the leeway
	for name, test := range map[string]struct {
		changes jwt.MapClaims
		want    domain.Principal
	}{
		"plain":          {nil, domain.Principal{User: "alice"}},
		"scope":          {jwt.MapClaims{"scope": "broadcast openid"}, domain.Principal{User: "alice", Scope: domain.NewScope("broadcast openid")}},
		"empty scope":    {jwt.MapClaims{"scope": ""}, domain.Principal{User: "alice", Scope: domain.NewScope("")}},
		"two audiences":  {jwt.MapClaims{"aud": []string{"mail", "chat"}}, domain.Principal{User: "alice"}},
		"any characters": {jwt.MapClaims{"sub": `auth0|"김" <a@b>`}, domain.Principal{User: `auth0|"김" <a@b>`}},
		"clocks differ":  {jwt.MapClaims{"nbf": time.Now().Add(10 * time.Second).Unix()}, domain.Principal{User: "alice"}},
	} {
		got, err := v.Verify(context.Background(), signed(t, jwt.SigningMethodHS256, good(test.changes), []byte(secret)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if off := got.ExpiresAt.Sub(expires).Abs(); off > 2*time.Second {
			t.Errorf("%s: expires %v off", name, off)
		}
		got.ExpiresAt = time.Time{}
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// Each row is an attack or a mistake. No error quotes the token.
func TestBadTokens(t *testing.T) {
	v := verifier(t, jwtauth.Config{Issuer: "https://issuer.example", Audience: "chat"})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hs := func(changes jwt.MapClaims) string {
		return signed(t, jwt.SigningMethodHS256, good(changes), []byte(secret))
	}
	token := hs(nil)
	parts := strings.Split(token, ".")
	for name, test := range map[string]struct{ token, want string }{
		"nothing":             {"", "malformed"},
		"not a token":         {"hello", "malformed"},
		"two parts":           {parts[0] + "." + parts[1], "malformed"},
		"padding":             {token + "=", "malformed"},
		"no signature":        {parts[0] + "." + parts[1] + ".", "signature"},
		"none":                {signed(t, jwt.SigningMethodNone, good(nil), jwt.UnsafeAllowNoneSignatureType), "algorithm"},
		"another secret":      {signed(t, jwt.SigningMethodHS256, good(nil), []byte(strings.ToUpper(secret))), "signature"},
		"another algorithm":   {signed(t, jwt.SigningMethodHS512, good(nil), []byte(secret)), "algorithm"},
		"an RSA key":          {signed(t, jwt.SigningMethodRS256, good(nil), rsaKey), "algorithm"},
		"changed claims":      {parts[0] + "." + strings.Split(hs(jwt.MapClaims{"sub": "eve"}), ".")[1] + "." + parts[2], "signature"},
		"expired":             {hs(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), "expired"},
		"never expires":       {hs(jwt.MapClaims{"exp": nil}), "lacks a claim"},
		"expiry of a string":  {hs(jwt.MapClaims{"exp": "tomorrow"}), "malformed|not valid"},
		"not valid yet":       {hs(jwt.MapClaims{"nbf": time.Now().Add(time.Minute).Unix()}), "not valid yet"},
		"no subject":          {hs(jwt.MapClaims{"sub": nil}), "subject"},
		"empty subject":       {hs(jwt.MapClaims{"sub": ""}), "subject"},
		"subject of a number": {hs(jwt.MapClaims{"sub": 7}), "subject|not valid"},
		"half a character":    {hs(jwt.MapClaims{"sub": "a\uFFFD"}), "subject"},
		"long subject":        {hs(jwt.MapClaims{"sub": strings.Repeat("x", domain.MaxRecipient+1)}), "subject"},
		"another issuer":      {hs(jwt.MapClaims{"iss": "https://evil.example"}), "issuer"},
		"no issuer":           {hs(jwt.MapClaims{"iss": nil}), "issuer|lacks a claim"},
		"another audience":    {hs(jwt.MapClaims{"aud": "mail"}), "audience"},
		"claims in capitals":  {hs(jwt.MapClaims{"sub": nil, "SUB": "bob"}), "subject"},
		"no audience":         {hs(jwt.MapClaims{"aud": nil}), "audience|lacks a claim"},
		"scope of a list":     {hs(jwt.MapClaims{"scope": []string{"broadcast"}}), "scope"},
	} {
		got, err := v.Verify(context.Background(), test.token)
		if err == nil || got != (domain.Principal{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		says := false
		for _, want := range strings.Split(test.want, "|") {
			says = says || strings.Contains(err.Error(), want)
		}
		if !says || test.token != "" && len(test.token) > 10 && strings.Contains(err.Error(), test.token[:10]) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for name, cfg := range map[string]jwtauth.Config{
		"a short secret": {Secret: []byte(secret[:31])},
		"nothing":        {},
		"both":           {Secret: []byte(secret), KeySet: "https://issuer.example/jwks.json"},
		"not a URL":      {KeySet: "issuer.example/jwks.json"},
		"another scheme": {KeySet: "file:///etc/passwd"},
	} {
		if _, err := jwtauth.New(t.Context(), cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// Names match exactly: a claim that looks like another is another.
func TestOtherClaimsDoNotCount(t *testing.T) {
	token := signed(t, jwt.SigningMethodHS256, good(jwt.MapClaims{"SUB": "bob", "Scope": "broadcast", "EXP": 1}), []byte(secret))
	p, err := verifier(t, jwtauth.Config{}).Verify(context.Background(), token)
	if p.ExpiresAt = (time.Time{}); err != nil || p != (domain.Principal{User: "alice"}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// Whoever is let in by the leeway is not expired at once.
func TestAPrincipalLastsAsLongAsItsToken(t *testing.T) {
	token := signed(t, jwt.SigningMethodHS256, good(jwt.MapClaims{"exp": time.Now().Add(-10 * time.Second).Unix()}), []byte(secret))
	p, err := verifier(t, jwtauth.Config{}).Verify(context.Background(), token)
	if err != nil || p.Expired(time.Now()) {
		t.Errorf("%+v, %v", p, err)
	}
}
