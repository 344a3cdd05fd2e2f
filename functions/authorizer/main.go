// Command authorizer is the Lambda function that decides who may connect, if the stage
// requires tokens.
package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"serverless-websocket/adapters/jwtauth"
	"serverless-websocket/adapters/ssmsecret"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		service := app.Service{Log: log, Origins: app.Origins(env.Optional("ORIGINS"))}
		env.Check("ORIGINS", service.Origins.Validate())
		verifier, err := verifier(log, env)
		if err != nil {
			env.Check("JWT_SECRET_PARAMETER, JWKS_URL", err)
			return nil
		}
		service.Verify = verifier.Verify
		return service.Authorizer(false).Handle
	})
}

// verifier returns what verifies tokens. The secret is read once: a new one is for
// environments that start later.
func verifier(log *slog.Logger, env *boot.Env) (*jwtauth.Verifier, error) {
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
