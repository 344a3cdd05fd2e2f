// Command fanout is the Lambda function that works the job queue off.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/domain/broadcast"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		cfg := env.AWSConfig()
		inFlight := env.Count("POSTS_IN_FLIGHT", 256)
		store := dynamostore.New(dynamodb.NewFromConfig(cfg), env.Required("CONNECTIONS_TABLE"), dynamostore.Options{})
		queues := sqs.NewFromConfig(cfg)
		jobs := sqsqueue.New(queues, env.Required("JOBS_QUEUE_URL"), sqsqueue.Options{})
		deadLetters := sqsqueue.New(queues, env.Required("DEAD_LETTER_QUEUE_URL"), sqsqueue.Options{})
		poster := apigwposter.New(cfg, env.Required("MANAGEMENT_ENDPOINT"), apigwposter.Options{InFlight: inFlight})
		function := &lambdaevent.FanOut{
			Worker: broadcast.NewFanOut(store, poster, jobs, deadLetters, log, broadcast.Options{InFlight: inFlight}),
		}
		return function.Handle
	})
}
