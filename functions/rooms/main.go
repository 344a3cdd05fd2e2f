// Command rooms is the Lambda function behind the routes joinRoom and leaveRoom.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/domain/session"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/logs"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := dynamodb.NewFromConfig(env.AWSConfig())
		service := app.Service{Log: log, MaxRooms: env.Count("MAX_ROOMS", session.DefaultMaxRooms), History: logs.Open(env, client)}
		service.Connections, service.Subscriptions = tables.Open(env, client)
		return service.Handlers().Rooms().Handle
	})
}
