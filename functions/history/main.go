// Command history is the Lambda function behind the routes resume and loadMessages.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/conversations"
	"serverless-websocket/functions/internal/logs"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := dynamodb.NewFromConfig(env.AWSConfig())
		service := app.Service{Log: log, History: logs.Open(env, client), Conversations: conversations.Open(env, client)}
		service.Connections, service.Subscriptions = tables.Open(env, client)
		return service.Handlers().History().Handle
	})
}
