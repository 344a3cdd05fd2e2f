package porttest

import (
	"context"
	"errors"
	"sync"
	"time"

	"serverless-websocket/ports"
)

func bodiesOf(batch []ports.ReceivedMessage) (bodies []string) {
	for _, m := range batch {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func receiptsOf(batch []ports.ReceivedMessage) (receipts []string) {
	for _, m := range batch {
		receipts = append(receipts, m.Receipt)
	}
	return receipts
}

// receive receives one batch from one of the case's queues.
func (c *queueCase) receive(from ports.Receiver, limit int) []ports.ReceivedMessage {
	c.Helper()
	batch, err := from.Receive(c.ctx, limit)
	if most := max(limit, 1); err != nil || len(batch) == 0 || len(batch) > most {
		c.Fatalf("Receive of at most %d: %d messages, %v", most, len(batch), err)
	}
	return batch
}

// receiveAll receives n messages, in as many batches as it takes.
func (c *queueCase) receiveAll(n int) (all []ports.ReceivedMessage) {
	c.Helper()
	for len(all) < n {
		all = append(all, c.receive(c.Receiver, n-len(all))...)
	}
	return all
}

func (c *queueCase) delete(batch ...ports.ReceivedMessage) {
	c.Helper()
	if err := c.Receiver.Delete(receiptsOf(batch)...); err != nil {
		c.Errorf("Delete of %d messages: %v", len(batch), err)
	}
}

// batches receives without deleting, so that each message can arrive only once.
func (c *queueCase) batches() {
	all := bodiesLike("message", 25)
	c.send(plain(all...)...)
	got := c.receive(c.Receiver, 0)
	for len(got) < len(all) {
		got = append(got, c.receive(c.Receiver, 7)...)
	}
	c.same(bodiesOf(got), all)
	ids, receipts := map[string]bool{}, map[string]bool{}
	for _, m := range got {
		ids[m.ID], receipts[m.Receipt] = true, true
	}
	if len(ids) != len(all) || len(receipts) != len(all) {
		c.Errorf("%d messages have %d ids and %d receipts", len(all), len(ids), len(receipts))
	}
	c.delete(got...)
	c.holds()
}

// visibilityTimeout receives a message twice and compares what was received.
func (c *queueCase) visibilityTimeout() {
	if got := c.Receiver.VisibilityTimeout(); got != shortVisibility {
		c.Errorf("the queue's visibility timeout is %v, want %v", got, shortVisibility)
	}
	sent := time.Now()
	c.send(plain("a")...)
	received := time.Now()
	first := c.receive(c.Receiver, 1)[0]
	second := c.receive(c.Receiver, 1)[0]
	if after := time.Since(received); after < shortVisibility-skew {
		c.Errorf("redelivered after %v, want %v", after, shortVisibility)
	}
	if first.ReceiveCount != 1 || second.ReceiveCount != 2 {
		c.Errorf("receive counts of %d and %d, want 1 and 2", first.ReceiveCount, second.ReceiveCount)
	}
	if first.ID != second.ID || first.Receipt == second.Receipt {
		c.Errorf("received as %+v, then as %+v: want the same id, and another receipt", first, second)
	}
	for _, m := range []ports.ReceivedMessage{first, second} {
		if m.SentAt.Before(sent.Add(-skew)) || m.SentAt.After(m.FirstReceivedAt) || !m.FirstReceivedAt.Equal(first.FirstReceivedAt) {
			c.Errorf("sent after %v, and received as %+v", sent, m)
		}
	}
	c.delete(second)
}

// partialFailure deletes all of a batch but one message, and only that one is
// redelivered.
func (c *queueCase) partialFailure() {
	c.send(plain("a", "b", "c")...)
	batch := c.receiveAll(3)
	failed := batch[1]
	c.delete(batch[0], batch[2])
	if err := c.Receiver.ChangeVisibility(0, failed.Receipt); err != nil {
		c.Errorf("ChangeVisibility: %v", err)
	}
	again := c.receive(c.Receiver, 10)
	if len(again) != 1 || again[0].ID != failed.ID || again[0].ReceiveCount != 2 {
		c.Errorf("of a batch, %+v was left; %+v was redelivered", failed, again)
	}
	c.delete(again...)
	c.holds()
}

// changeOfVisibility has two messages redelivered long before their visibility timeout
// ends.
func (c *queueCase) changeOfVisibility() {
	c.send(plain("at once", "later")...)
	for _, m := range c.receiveAll(2) {
		delay := map[string]time.Duration{"later": time.Second}[m.Body]
		start := time.Now()
		if err := c.Receiver.ChangeVisibility(delay, m.Receipt); err != nil {
			c.Errorf("ChangeVisibility: %v", err)
		}
		again := c.receive(c.Receiver, 10)
		if len(again) != 1 || again[0].ID != m.ID || again[0].ReceiveCount != 2 {
			c.Errorf("%+v was made visible; %+v arrived", m, again)
		}
		if after := time.Since(start); after < delay-skew {
			c.Errorf("redelivered after %v, want %v", after, delay)
		}
		c.delete(again...)
	}
}

func (c *queueCase) deletedTwice() {
	c.send(plain("a")...)
	batch := c.receive(c.Receiver, 1)
	c.delete()
	c.delete(batch...)
	c.delete(batch...)
	c.holds()
}

func (c *queueCase) receiveEnds() {
	ctx, cancel := context.WithTimeout(c.ctx, quiet)
	defer cancel()
	for _, when := range []string{"ends", "has ended"} {
		if batch, err := c.Receiver.Receive(ctx, 1); len(batch) > 0 || !errors.Is(err, context.DeadlineExceeded) {
			c.Errorf("Receive from an empty queue under a context that %s: %v, %v", when, batch, err)
		}
	}
}

// concurrentReceivers share the messages among themselves.
func (c *queueCase) concurrentReceivers() {
	all := bodiesLike("message", 40)
	var mu sync.Mutex
	var got []string
	var receivers sync.WaitGroup
	for range 4 {
		receivers.Go(func() {
			for range 10 {
				bodies := c.receiveOne()
				mu.Lock()
				got = append(got, bodies...)
				mu.Unlock()
			}
		})
	}
	c.send(plain(all...)...)
	receivers.Wait()
	c.same(got, all)
}

// receiveOne is for goroutines, which must not end the test case.
func (c *queueCase) receiveOne() []string {
	batch, err := c.Receiver.Receive(c.ctx, 1)
	if err != nil {
		c.Errorf("Receive: %v", err)
	}
	return bodiesOf(batch)
}

// deadLetters has a message's last receive fail while another message is awaited.
func (c *queueCase) deadLetters() {
	if c.DeadLetters == nil {
		return
	}
	c.send(plain("poison")...)
	id := c.receive(c.Receiver, 1)[0].ID
	if m := c.receive(c.Receiver, 1)[0]; m.ID != id || m.ReceiveCount != 2 {
		c.Errorf("received as %+v, want the second receive of %s", m, id)
	}
	ctx, stop := context.WithCancel(c.ctx)
	surplus := make(chan []ports.ReceivedMessage)
	go func() {
		batch, _ := c.Receiver.Receive(ctx, 1) // ends with ctx
		surplus <- batch
	}()
	if dead := c.receive(c.DeadLetters, 1)[0]; dead.ID != id || dead.Body != "poison" {
		c.Errorf("the dead letter is %+v, want %s", dead, id)
	}
	stop()
	if more := <-surplus; len(more) > 0 {
		c.Errorf("received again: %+v", more)
	}
}
