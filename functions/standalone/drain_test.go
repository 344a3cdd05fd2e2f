package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/eventsource"
	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/adapters/memstore"
	"serverless-websocket/adapters/wsgateway"
	"serverless-websocket/functions/app"
	"serverless-websocket/ports"
)

// After the clock is set back, the messages owed to a gone connection are dated in the
// future. A stop waits until the queue is empty.
func TestAClockThatWasSetBackDoesNotHoldUpAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway, err := wsgateway.New(wsgateway.Config{Stage: "dev", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		queue := memqueue.New(memqueue.Config{Visibility: visibility})
		connections := memstore.New(scanPage)
		fanOut := app.Service{
			Log: slog.New(slog.DiscardHandler), Poster: gateway,
			Connections: connections, Subscriptions: memstore.NewSubscriptions(scanPage, connections),
			Parts: queue, Retries: queue, DeadLetters: queue, Options: fanOutOptions,
		}.FanOut()
		ctx, stop := context.WithCancel(t.Context())
		source := &eventsource.Source{Queue: queue, Handler: fanOut.Handle}
		ended := make(chan error)
		go func() { ended <- source.Run(ctx) }()
		for _, ahead := range []time.Duration{0, time.Second, time.Hour} {
			body := fmt.Sprintf(`{"v":1,"messages":[{"id":"01KB0000000000000000000000","sentAt":946684800000,"content":"1"}],`+
				`"only":[{"id":"AAAAAAAAAAAAAAA=","at":%d}],"attempt":1}`, time.Now().Add(ahead).UnixMilli())
			if err := queue.Send(ctx, ports.QueueMessage{Body: body}); err != nil {
				t.Fatal(err)
			}
			idle, cancel := context.WithTimeout(ctx, 5*time.Second)
			if queue.WaitIdle(idle) != nil {
				t.Errorf("registered %v ahead: %+v are left", ahead, queue.Depth())
			}
			cancel()
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
