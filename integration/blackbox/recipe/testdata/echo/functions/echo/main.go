// Command echo is the Lambda function behind the route echo.
package main

import (
	"log/slog"

	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, _ *boot.Env) any {
		return app.Service{Log: log}.Handlers().Echo().Handle
	})
}
