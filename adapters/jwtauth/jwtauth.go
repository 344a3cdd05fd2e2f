// Package jwtauth verifies JSON Web Tokens, with github.com/golang-jwt/jwt.
package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/domain"
)

const (
	// minSecret is the shortest secret, in bytes: that of the hash (RFC 7518, 3.2).
	minSecret = 32
	// leeway is how much the clocks of issuer and verifier may differ.
	leeway = 30 * time.Second
)

// Config says which tokens are valid.
type Config struct {
	// Secret is the key of HS256, at least 32 bytes.
	Secret []byte
	// Issuer and Audience are required of the claims "iss" and "aud"; any if empty.
	Issuer, Audience string
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

// New returns a Verifier, or an error if the secret is too short.
func New(cfg Config) (*Verifier, error) {
	if len(cfg.Secret) < minSecret {
		return nil, fmt.Errorf("the secret has %d bytes: at least %d", len(cfg.Secret), minSecret)
	}
	options := []jwt.ParserOption{
		// Only what is configured: "none", or another algorithm with the same key, would
		// let anyone sign.
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}
	key := func(*jwt.Token) (any, error) { return cfg.Secret, nil }
	return &Verifier{parser: jwt.NewParser(options...), key: key}, nil
}

// claims are those that matter here.
type claims struct {
	jwt.RegisteredClaims
	Scope *string `json:"scope"`
}

// Verify returns whom the token was issued to. The error says why the token is not valid,
// without quoting it.
func (v *Verifier) Verify(_ context.Context, token string) (domain.Principal, error) {
	var c claims
	if _, err := v.parser.ParseWithClaims(token, &c, v.key); err != nil {
		return domain.Principal{}, reason(err)
	}
	if !domain.ValidUser(c.Subject) {
		return domain.Principal{}, errors.New("the token has no valid subject")
	}
	p := domain.Principal{User: c.Subject, ExpiresAt: c.ExpiresAt.Time}
	if c.Scope != nil {
		p.Scope = domain.NewScope(*c.Scope)
	}
	return p, nil
}

// reasons are the library's errors by what is wrong; its texts can quote the token.
var reasons = []struct {
	err  error
	text string
}{
	{jwt.ErrTokenMalformed, "the token is malformed"},
	{jwt.ErrTokenSignatureInvalid, "the token's signature or algorithm is not valid"},
	{jwt.ErrTokenRequiredClaimMissing, "the token lacks a claim"},
	{jwt.ErrTokenExpired, "the token has expired"},
	{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
	{jwt.ErrTokenInvalidIssuer, "the token has another issuer"},
	{jwt.ErrTokenInvalidAudience, "the token has another audience"},
}

func reason(err error) error {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return errors.New(r.text)
		}
	}
	return errors.New("the token is not valid")
}
