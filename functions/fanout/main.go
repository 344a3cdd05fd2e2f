// Command fanout is the Lambda function that processes jobs: new ones, parts of
// them and retries.
package main

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/functions/app"
	"serverless-websocket/functions/internal/boot"
	"serverless-websocket/functions/internal/conversations"
	"serverless-websocket/functions/internal/logs"
	"serverless-websocket/functions/internal/tables"
)

func main() {
	boot.Start(func(log *slog.Logger, env *boot.Env) any {
		return service(log, env).FanOut().Handle
	})
}

func service(log *slog.Logger, env *boot.Env) app.Service {
	cfg := env.AWSConfig()
	client := sqs.NewFromConfig(cfg)
	queue := func(url string) *sqsqueue.Queue { return sqsqueue.New(client, url, sqsqueue.Options{}) }
	database := dynamodb.NewFromConfig(cfg)
	connections, subscriptions := tables.Open(env, database)
	inFlight := env.Count("POSTS_IN_FLIGHT", 256)
	return app.Service{
		Log:         log,
		Connections: connections, Subscriptions: subscriptions,
		History: logs.Open(env, database), Conversations: conversations.Open(env, database),
		Poster:      apigwposter.New(cfg, env.URL("MANAGEMENT_ENDPOINT"), apigwposter.Options{InFlight: inFlight}),
		Channels:    queue(env.URL("CHANNELS_QUEUE_URL")),
		Parts:       queue(env.URL("PARTS_QUEUE_URL")),
		Retries:     queue(env.URL("RETRIES_QUEUE_URL")),
		DeadLetters: queue(env.URL("DEAD_LETTER_QUEUE_URL")),
		Quota: fanout.Quota{
			PostsPerSecond: float64(env.Count("POSTS_PER_SECOND", 10_000)),
			Workers:        env.Count("FAN_OUT_CONCURRENCY", fanout.MinWorkers),
			ChannelShare:   float64(env.Count("CHANNEL_PERCENT", 10)) / 100,
		},
		Options: fanout.Options{
			InFlight:         inFlight,
			ConfirmGoneAfter: cmp.Or(env.Seconds("CONFIRM_GONE_AFTER", 10*time.Second), fanout.PruneAtOnce),
		},
	}
}
