// Package jwtauth verifies JSON Web Tokens, with github.com/golang-jwt/jwt.
package jwtauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"serverless-websocket/domain"
)

const (
	// minSecret is the shortest secret, in bytes: that of the hash (RFC 7518, 3.2).
	minSecret = 32
	// leeway is how much the clocks of issuer and verifier may differ.
	leeway = 30 * time.Second
)

// Config says which tokens are valid. It has either a Secret or a KeySet.
type Config struct {
	// Secret is the key of HS256, at least 32 bytes.
	Secret []byte
	// KeySet is the URL of a JSON Web Key Set, whose keys are for RS256, ES256 and EdDSA.
	KeySet string
	// Issuer and Audience are required of the claims "iss" and "aud"; any if empty.
	Issuer, Audience string
	// Log gets failures to fetch the KeySet; required with one.
	Log *slog.Logger
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

// New returns a Verifier, or an error for a Config that makes no sense. It fetches the
// KeySet, and again every hour until ctx ends. A failure is logged: tokens are refused
// until a fetch succeeds.
func New(ctx context.Context, cfg Config) (*Verifier, error) {
	var key jwt.Keyfunc
	var algorithms []jwt.SigningMethod
	var err error
	switch {
	case (len(cfg.Secret) > 0) == (cfg.KeySet != ""):
		return nil, errors.New("either a secret or a key set is needed")
	case cfg.KeySet != "":
		algorithms = []jwt.SigningMethod{jwt.SigningMethodRS256, jwt.SigningMethodES256, jwt.SigningMethodEdDSA}
		key, err = fetched(ctx, cfg.KeySet, cfg.Log)
	default:
		algorithms = []jwt.SigningMethod{jwt.SigningMethodHS256}
		key, err = shared(cfg.Secret)
	}
	if err != nil {
		return nil, err
	}
	return &Verifier{parser: jwt.NewParser(cfg.options(algorithms)...), key: key}, nil
}

// shared returns the key for all tokens.
func shared(secret []byte) (jwt.Keyfunc, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("the secret has %d bytes: at least %d", len(secret), minSecret)
	}
	return func(*jwt.Token) (any, error) { return secret, nil }, nil
}

func (cfg Config) options(algorithms []jwt.SigningMethod) []jwt.ParserOption {
	var names []string
	for _, a := range algorithms {
		names = append(names, a.Alg())
	}
	options := []jwt.ParserOption{
		// With "none", or a public key taken for a secret, anyone could sign.
		jwt.WithValidMethods(names),
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
	return options
}

// claims are those of a token. encoding/json would match names in any case, and then
// who may add a claim "SUB" to a token of his could be anyone.
type claims struct{ jwt.MapClaims }

func (c *claims) UnmarshalJSON(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("claims that are not UTF-8")
	}
	return json.Unmarshal(text, &c.MapClaims)
}

// Verify returns whom the token was issued to, until it expires, leeway included. The
// error says why the token is not valid, without quoting it.
func (v *Verifier) Verify(_ context.Context, token string) (domain.Principal, error) {
	var c claims
	if _, err := v.parser.ParseWithClaims(token, &c, v.key); err != nil {
		return domain.Principal{}, reason(err)
	}
	user, err := c.GetSubject()
	if err != nil || !domain.ValidUser(user) {
		return domain.Principal{}, errors.New("the token has no valid subject")
	}
	expires, err := c.GetExpirationTime()
	if err != nil || expires == nil {
		return domain.Principal{}, errors.New("the token has no valid expiry")
	}
	p := domain.Principal{User: user, ExpiresAt: expires.Add(leeway)}
	if value, ok := c.MapClaims["scope"]; ok {
		claim, ok := value.(string)
		if !ok {
			return domain.Principal{}, errors.New("the token has no valid scope")
		}
		p.Scope = domain.NewScope(claim)
	}
	return p, nil
}

// reasons are the library's errors by what is wrong; its texts can quote the token.
var reasons = []struct {
	err  error
	text string
}{
	{jwt.ErrTokenMalformed, "the token is malformed"},
	{jwt.ErrTokenUnverifiable, "the token's key or algorithm is not known"},
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
