// Command connectionmanager is the Lambda function behind the routes $connect
// and $disconnect.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := dynamodb.NewFromConfig(env.AWSConfig())
		service := app.Service{
			Log:         log,
			Connections: dynamostore.New(client, env.Required("CONNECTIONS_TABLE"), dynamostore.Options{}),
		}
		return service.Routes()["$connect"].Handler
	})
}
