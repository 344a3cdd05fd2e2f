// Command defaultmessage is the Lambda function behind the route $default.
package main

import (
	"log/slog"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, _ *boot.Env) any {
		function := &lambdaevent.DefaultMessage{Log: log}
		return function.Handle
	})
}
