package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/ports"
)

// A stop also waits for the work its last passes leave over.
func TestStopWaitsForRetriesOfTheLastPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := offline(t)
		delivered := false
		v.sources[0].Handler = func(ctx context.Context, _ events.SQSEvent) (r events.SQSEventResponse, err error) {
			time.Sleep(time.Second) // the pass, during which the stop begins
			return r, v.retries.Send(ctx, ports.QueueMessage{Body: "left over", Delay: time.Second})
		}
		v.sources[2].Handler = func(context.Context, events.SQSEvent) (r events.SQSEventResponse, err error) {
			delivered = true
			return r, nil
		}
		if err := v.jobs.Send(t.Context(), ports.QueueMessage{Body: "accepted"}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := v.serve(ctx); err != nil {
			t.Error(err)
		}
		if !delivered {
			t.Error("the work left over by the last pass was not delivered")
		}
	})
}
