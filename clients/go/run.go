package client

import (
	"context"
	"sync"
)

const (
	// maxEvents is how many events wait for OnMessage before the client leaves messages in
	// the log.
	maxEvents = 10_000
	// maxErrors is how many errors wait for OnError before the client drops others.
	maxErrors = 100
)

// Run connects, and again whenever the connection has ended, until ctx ends. Then it
// closes the connection, which takes up to ten seconds if the service does not answer, waits
// for the functions of Options that are still running, and returns the error of ctx. Events
// that wait are dropped. It can be called once.
func (c *Client) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.ctx = ctx
	events, errs := make(chan Event), make(chan error)
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for e := range events {
			c.OnMessage(e)
		}
	})
	handlers.Go(func() {
		for err := range errs {
			c.OnError(err)
		}
	})
	c.connect()
	for c.step(events, errs) {
	}
	c.close()
	close(c.ended)
	close(events)
	close(errs)
	handlers.Wait()
	c.background.Wait()
	return ctx.Err()
}

// step does the next thing that there is to do, and reports whether to go on.
func (c *Client) step(events chan<- Event, errs chan<- error) bool {
	event, events := first(c.events, events)
	failure, errs := first(c.errors, errs)
	frames, writes, frame := c.link.channels()
	select {
	case <-c.ctx.Done():
		return false
	case do := <-c.mailbox:
		do()
	case events <- event:
		c.events = c.events[1:]
		c.catchUp()
	case errs <- failure:
		c.errors = c.errors[1:]
	case writes <- frame:
		c.link.writes = c.link.writes[1:]
	case text := <-frames:
		c.receive(text)
	}
	return true
}

// first returns what waits the longest, and where to send it: nil if nothing waits.
func first[T any](waiting []T, out chan<- T) (T, chan<- T) {
	if len(waiting) == 0 {
		var none T
		return none, nil
	}
	return waiting[0], out
}

// tell has OnError called.
func (c *Client) tell(err error) {
	if len(c.errors) < maxErrors {
		c.errors = append(c.errors, err)
	}
}

// crowded reports whether no more events can wait.
func (c *Client) crowded() bool { return len(c.events) >= maxEvents }

// fallBehind notes that messages are not taken.
func (c *Client) fallBehind() {
	if !c.behind {
		c.behind = true
		c.tell(ErrBehind)
	}
}

// catchUp asks for messages that were not taken, once half of the events are handled.
func (c *Client) catchUp() {
	if !c.behind || len(c.events) > maxEvents/2 {
		return
	}
	c.behind = false
	if c.link != nil && c.link.live && c.link.keeps {
		c.resume()
	}
}

// post has Run call a function, unless Run has ended.
func (c *Client) post(do func()) bool {
	select {
	case c.mailbox <- do:
		return true
	case <-c.ended:
		return false
	}
}

// do has Run call a function for a user who waits.
func (c *Client) do(ctx context.Context, do func()) error {
	select {
	case c.mailbox <- do:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ended:
		return ErrClosed
	}
}
