package memqueue_test

import (
	"context"
	"fmt"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/ports"
)

// A message that is received and not deleted becomes visible again. After
// MaxReceives it goes to the dead-letter queue.
func ExampleQueue() {
	ctx := context.Background()
	dead := memqueue.New(memqueue.Config{})
	queue := memqueue.New(memqueue.Config{DeadLetters: dead, MaxReceives: 1})
	if err := queue.Send(ctx, ports.QueueMessage{Body: "good"}, ports.QueueMessage{Body: "bad"}); err != nil {
		fmt.Println(err)
		return
	}
	messages, err := queue.Receive(ctx, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range messages {
		fmt.Println("received", m.Body)
		if m.Body == "good" {
			queue.Delete(m.Receipt)
		} else {
			queue.ChangeVisibility(0, m.Receipt) // rather than after 30 s
		}
	}
	left, err := dead.Receive(ctx, 10) // waits for the first
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("dead letter", left[0].Body)
	// Output:
	// received good
	// received bad
	// dead letter bad
}
