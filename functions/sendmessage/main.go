// Command sendmessage is the Lambda function behind the route sendMessage.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		cfg := env.AWSConfig()
		client := sqs.NewFromConfig(cfg)
		policy, err := app.Policy(env.Required("BROADCAST_BY"))
		env.Check("BROADCAST_BY", err)
		service := app.Service{
			Log:      log,
			Jobs:     sqsqueue.New(client, env.URL("JOBS_QUEUE_URL"), sqsqueue.Options{}),
			Channels: sqsqueue.New(client, env.URL("CHANNELS_QUEUE_URL"), sqsqueue.Options{}),
			Policy:   policy,
			Logged:   env.Days("HISTORY_DAYS") > 0,
		}
		service.Connections, service.Subscriptions = tables.Open(env, dynamodb.NewFromConfig(cfg))
		return service.Handlers().SendMessage().Handle
	})
}
