// Command fanout is the Lambda function that works off new jobs, and what is left
// over of jobs.
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
	leftovers := sqsqueue.New(queues, env.URL("LEFTOVERS_QUEUE_URL"), sqsqueue.Options{})
	deadLetters := sqsqueue.New(queues, env.URL("DEAD_LETTER_QUEUE_URL"), sqsqueue.Options{})

	inFlight := env.Count("POSTS_IN_FLIGHT", 256)
	workers := env.Count("FAN_OUT_CONCURRENCY", 4)
	// share is how many of the stage's posts a second are this worker's.
	share := float64(env.Count("POSTS_PER_SECOND", 10_000)) / float64(workers)
	poster := governor.New(
		apigwposter.New(cfg, env.URL("MANAGEMENT_ENDPOINT"), apigwposter.Options{InFlight: inFlight}),
		governor.Options{PerSecond: share},
	)
	return broadcast.NewFanOut(store, poster, leftovers, deadLetters, log, broadcast.Options{
		InFlight: inFlight,
		// All but one: of the two workers for new jobs, only the one that splits a job
		// is there to take a part.
		Workers:   workers - 1,
		PerSecond: share,
	})
}
