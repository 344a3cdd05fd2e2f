// Package tokens sets up the verification of tokens for the functions that need it.
package tokens

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/adapters/ssmsecret"
	"serverless-websocket/functions/internal/boot"
)

// AreRequired reports whether the stage requires tokens.
func AreRequired(env *boot.Env) bool {
	return env.Optional("JWT_SECRET_PARAMETER") != "" || env.Optional("JWKS_URL") != ""
}

// NewVerifier returns what verifies tokens; nil after an error, which is one of those in
// env.Err. The secret is read once: a new one is for environments that start later.
func NewVerifier(log *slog.Logger, env *boot.Env) *jwtauth.Verifier {
	verifier, err := newVerifier(log, env)
	env.Check("JWT_SECRET_PARAMETER, JWKS_URL", err)
	return verifier
}

func newVerifier(log *slog.Logger, env *boot.Env) (*jwtauth.Verifier, error) {
	cfg := jwtauth.Config{
		KeySet: env.Optional("JWKS_URL"), Issuer: env.Optional("JWT_ISSUER"), Audience: env.Optional("JWT_AUDIENCE"), Log: log,
	}
	ctx := context.Background() // of the process
	if name := env.Optional("JWT_SECRET_PARAMETER"); name != "" {
		secret, err := ssmsecret.Read(ctx, ssm.NewFromConfig(env.AWSConfig()), name)
		if err != nil {
			return nil, err
		}
		cfg.Secret = secret
	}
	verifier, err := jwtauth.New(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("tokens cannot be verified: %w", err)
	}
	return verifier, nil
}
