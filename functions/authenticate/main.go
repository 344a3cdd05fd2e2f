// Command authenticate is the Lambda function behind the route authenticate.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/tables"
	"serverless-websocket/functions/internal/tokens"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		service := app.Service{Log: log}
		service.Connections, service.Subscriptions = tables.Open(env, dynamodb.NewFromConfig(env.AWSConfig()))
		if tokens.AreRequired(env) { // on other stages no one has signed in
			service.Verify = tokens.NewVerifier(log, env).Verify
		}
		return service.Handlers().Authenticate().Handle
	})
}
