// Command authorizer is the Lambda function that decides who may connect, if the stage
// requires tokens.
package main

import (
	"log/slog"

	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/tokens"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		service := app.Service{Log: log, Origins: app.Origins(env.Optional("ORIGINS"))}
		env.Check("ORIGINS", service.Origins.Validate())
		service.Verify = tokens.NewVerifier(log, env).Verify
		return service.Authorizer(false).Handle
	})
}
