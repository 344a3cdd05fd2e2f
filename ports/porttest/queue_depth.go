package porttest

import (
	"context"
	"errors"
	"time"

	"serverless-websocket/ports"
)

// depth follows three messages through the states of a queue.
func (c *queueCase) depth() {
	if c.Depth == nil {
		return
	}
	c.wantDepth("empty", 0, 0, 0)
	c.send(plain("a", "b")...)
	c.send(ports.QueueMessage{Body: "later", Delay: ports.MaxQueueDelay})
	c.wantDepth("sent", 2, 1, 0)
	first := c.receive(c.Receiver, 1)
	c.wantDepth("one received", 1, 1, 1)
	second := c.receive(c.Receiver, 1)
	c.delete(first...)
	c.wantDepth("another received, the first deleted", 0, 1, 1)
	if err := c.Receiver.ChangeVisibility(0, second[0].Receipt); err != nil {
		c.Errorf("ChangeVisibility: %v", err)
	}
	c.wantDepth("given back", 1, 1, 0)
}

func (c *queueCase) wantDepth(when string, ready, delayed, inFlight int) {
	c.Helper()
	want := [...]int{ready, delayed, inFlight}
	var got [3]int
	if got[0], got[1], got[2] = c.Depth(); got != want {
		c.Errorf("%s: %v messages are ready, delayed and in flight, want %v", when, got, want)
	}
}

// waitUntilIdle has a message keep the queue busy in each of its states.
func (c *queueCase) waitUntilIdle() {
	if c.WaitIdle == nil {
		return
	}
	if err := c.WaitIdle(c.ctx); err != nil {
		c.Errorf("an empty queue: %v", err)
	}
	c.send(ports.QueueMessage{Body: "a", Delay: time.Second})
	c.wantBusy("delayed")
	batch := c.receive(c.Receiver, 1)
	c.wantBusy("in flight")
	idle := make(chan error, 1)
	go func() { idle <- c.WaitIdle(c.ctx) }()
	c.delete(batch...)
	if err := <-idle; err != nil {
		c.Errorf("after the last Delete: %v", err)
	}
}

func (c *queueCase) wantBusy(state string) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, quiet)
	defer cancel()
	if err := c.WaitIdle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		c.Errorf("with a message that is %s: %v", state, err)
	}
}
