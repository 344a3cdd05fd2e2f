// Command fanout is the Lambda function that works the job queue off.
package main

import (
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/adapters/governor"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/domain/broadcast"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		function := &lambdaevent.FanOut{Worker: newWorker(log, env)}
		return function.Handle
	})
}

func newWorker(log *slog.Logger, env *boot.Env) *broadcast.FanOut {
	cfg := env.AWSConfig()
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), env.Required("CONNECTIONS_TABLE"), dynamostore.Options{})
	queues := sqs.NewFromConfig(cfg)
	jobs := sqsqueue.New(queues, env.URL("JOBS_QUEUE_URL"), sqsqueue.Options{})
	deadLetters := sqsqueue.New(queues, env.URL("DEAD_LETTER_QUEUE_URL"), sqsqueue.Options{})

	inFlight := env.Count("POSTS_IN_FLIGHT", 256)
	poster := governor.New(
		apigwposter.New(cfg, env.URL("MANAGEMENT_ENDPOINT"), apigwposter.Options{InFlight: inFlight}),
		governor.Options{PerSecond: postsPerSecond(env)},
	)
	return broadcast.NewFanOut(store, poster, jobs, deadLetters, log, broadcast.Options{InFlight: inFlight})
}

// postsPerSecond is this worker's share of what all workers of the stage may post.
func postsPerSecond(env *boot.Env) float64 {
	stage := env.Count("POSTS_PER_SECOND", 10_000)
	return float64(stage) / float64(env.Count("FAN_OUT_CONCURRENCY", 2))
}
