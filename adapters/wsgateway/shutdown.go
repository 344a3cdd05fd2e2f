package wsgateway

import (
	"context"
	"fmt"
	"sync"
)

// Drain is the first part of stopping: from now on handshakes answer 503, and a
// message is answered with a "Service unavailable" frame and is not accepted.
// The open sockets still take posts. Drain returns when what was accepted before
// is dealt with, replies included. Integrations take at most
// Config.IntegrationTimeout, but a reply waits for room for as long as its client
// takes a little now and then: if ctx ends first, Drain returns its error, and the
// gateway goes on draining.
func (g *Gateway) Drain(ctx context.Context) error {
	g.refuseWork()
	if err := wait(ctx, &g.handshakes, &g.messages); err != nil {
		return fmt.Errorf("draining the gateway: %w", err)
	}
	return nil
}

// Flush waits until nothing waits for any client. If ctx ends first, it aborts the
// clients that have not taken what was posted to them, and the error says how many
// they were.
func (g *Gateway) Flush(ctx context.Context) error {
	aborted := 0
	for _, c := range g.snapshot() {
		if !c.flushed(ctx) {
			aborted++
		}
	}
	if aborted > 0 {
		return fmt.Errorf("%d clients did not take what was sent to them: %w", aborted, ctx.Err())
	}
	return nil
}

// flushed waits until nothing waits for the client, or aborts it when ctx ends.
func (c *conn) flushed(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, c.notify)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.outbox.flushing && ctx.Err() == nil {
		c.changed.Wait()
	}
	if c.outbox.flushing {
		c.abortLocked(goingAway)
		return false
	}
	return c.end != stalled
}

// Close is the last part: every client is sent what waits for it and a close
// frame with code 1001. Close returns when the clients have closed too, each
// $disconnect has been answered and no goroutine is left. If ctx ends first, the
// connections that are left are aborted, and the error says how many.
//
// Unless a Drain has returned nil before, the reply to a message that is being
// dealt with may be lost: were it waited for, one slow client could keep the
// close frame from all others.
func (g *Gateway) Close(ctx context.Context) error {
	g.refuseWork()
	g.pending.close()
	g.refuseSockets()
	err := wait(ctx, &g.handshakes)
	if err == nil {
		for _, c := range g.snapshot() {
			c.startClose(goingAway.code, goingAway.reason)
		}
		err = wait(ctx, &g.running)
	}
	defer g.goroutines.end()
	defer g.poller.close()
	if err == nil {
		return nil
	}
	left := g.snapshot()
	for _, c := range left {
		c.abort(goingAway)
	}
	return fmt.Errorf("closing the gateway, %d connections aborted: %w", len(left), err)
}

func (g *Gateway) refuseWork() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

func (g *Gateway) refuseSockets() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// wait waits for the groups, or returns the error of ctx if that ends first.
func wait(ctx context.Context, groups ...*sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		for _, group := range groups {
			group.Wait()
		}
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
