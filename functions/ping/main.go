// Command ping is the Lambda function behind GET /ping.
package main

import (
	"log/slog"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(*slog.Logger, *boot.Env) any { return lambdaevent.Ping })
}
