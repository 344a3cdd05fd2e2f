// Command presence is the Lambda function behind the route presence.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		service := app.Service{Log: log}
		service.Connections, service.Subscriptions = tables.Open(env, dynamodb.NewFromConfig(env.AWSConfig()))
		return service.Handlers().Presence().Handle
	})
}
