package memqueue_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/ports"
)

func TestBelowKeepsTheRestFree(t *testing.T) {
	q := memqueue.New(memqueue.Config{MaxBytes: 100})
	part := q.Below(50)
	ctx := context.Background()
	body := ports.QueueMessage{Body: strings.Repeat("x", 25)}
	if err := part.Send(ctx, body, body); err != nil {
		t.Fatal(err)
	}
	var refused *ports.SendError
	if err := part.Send(ctx, body); !errors.As(err, &refused) || !errors.Is(err, ports.ErrQueueFull) {
		t.Errorf("at the limit: error %v", err)
	}
	if err := q.Send(ctx, body, body); err != nil {
		t.Errorf("the rest is not free: %v", err)
	}
	if depth := q.Depth(); depth.Ready != 4 {
		t.Errorf("depth %+v", depth)
	}
}
