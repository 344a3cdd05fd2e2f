// Command fanout is the Lambda function that works off jobs: new ones, parts of
// them and retries.
package main

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/adapters/governor"
	"serverless-websocket/adapters/lambdaevent"
	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/functions/internal/boot"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		function := &lambdaevent.FanOut{Worker: newWorker(log, env)}
		return function.Handle
	})
}

func newWorker(log *slog.Logger, env *boot.Env) *fanout.Worker {
	cfg := env.AWSConfig()
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), env.Required("CONNECTIONS_TABLE"), dynamostore.Options{})
	queues := sqs.NewFromConfig(cfg)

	inFlight := env.Count("POSTS_IN_FLIGHT", 256)
	quota := fanout.Quota{
		PostsPerSecond: float64(env.Count("POSTS_PER_SECOND", 10_000)),
		Workers:        env.Count("FAN_OUT_CONCURRENCY", fanout.MinWorkers),
	}
	poster := apigwposter.New(cfg, env.URL("MANAGEMENT_ENDPOINT"), apigwposter.Options{InFlight: inFlight})
	return fanout.New(fanout.Ports{
		Connections: store,
		Poster:      governor.New(poster, governor.Options{PerSecond: quota.PerWorker()}),
		RetryPoster: governor.New(poster, governor.Options{PerSecond: quota.PerRetryWorker()}),
		Parts:       sqsqueue.New(queues, env.URL("PARTS_QUEUE_URL"), sqsqueue.Options{}),
		Retries:     sqsqueue.New(queues, env.URL("RETRIES_QUEUE_URL"), sqsqueue.Options{}),
		DeadLetters: sqsqueue.New(queues, env.URL("DEAD_LETTER_QUEUE_URL"), sqsqueue.Options{}),
	}, log, fanout.Options{
		InFlight:         inFlight,
		Workers:          quota.Parts(),
		PostsPerSecond:   quota.PerWorker(),
		ConfirmGoneAfter: cmp.Or(env.Seconds("CONFIRM_GONE_AFTER", 10*time.Second), fanout.PruneAtOnce),
	})
}
