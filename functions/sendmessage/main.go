// Command sendmessage is the Lambda function behind the route sendMessage.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/adapters/ulids"
	"serverless-websocket/domain/publish"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		client := sqs.NewFromConfig(env.AWSConfig())
		queue := sqsqueue.New(client, env.URL("JOBS_QUEUE_URL"), sqsqueue.Options{})
		function := &lambdaevent.SendMessage{
			Publisher: &publish.Publisher{Queue: queue, NewID: ulids.NewSource().New},
			Log:       log,
		}
		return function.Handle
	})
}
