// Command connectionmanager is the Lambda function behind the routes $connect
// and $disconnect.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/domain/session"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := dynamodb.NewFromConfig(env.AWSConfig())
		store := dynamostore.New(client, env.Required("CONNECTIONS_TABLE"), dynamostore.Options{})
		function := &lambdaevent.ConnectionManager{
			Registry: &session.Registry{Store: store, Lifetime: session.DefaultLifetime},
			Log:      log,
		}
		return function.Handle
	})
}
