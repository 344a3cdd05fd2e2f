// Command rooms is the Lambda function behind the routes joinRoom and leaveRoom.
package main

import (
	"log/slog"

	"serverless-websocket/domain/session"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		service := app.Service{Log: log, MaxRooms: env.Count("MAX_ROOMS", session.DefaultMaxRooms)}
		service.Connections, service.Subscriptions = tables.Open(env, env.AWSConfig())
		return service.Handlers().Rooms().Handle
	})
}
