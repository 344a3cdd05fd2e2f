// Command sendmessage is the Lambda function behind the route sendMessage.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := sqs.NewFromConfig(env.AWSConfig())
		policy, err := app.Policy(env.Required("BROADCAST_BY"))
		env.Check("BROADCAST_BY", err)
		service := app.Service{
			Log:    log,
			Jobs:   sqsqueue.New(client, env.URL("JOBS_QUEUE_URL"), sqsqueue.Options{}),
			Policy: policy,
		}
		return service.Routes()["sendMessage"].Handler
	})
}
