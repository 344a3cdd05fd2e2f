package wsgateway

import (
	"context"
	"fmt"
	"sync"
)

// Drain is the first step of a stop. From now on, handshakes are answered with 503,
// and messages are refused with a "Service unavailable" frame. Open connections still
// take posts. Drain returns when all handshakes and messages accepted earlier have
// been handled, including their replies. Integrations take at most
// Config.IntegrationTimeout, but a reply can wait much longer for a client that reads
// slowly. If ctx ends first, Drain returns its error and the gateway keeps draining.
func (g *Gateway) Drain(ctx context.Context) error {
	g.refuseWork()
	if err := wait(ctx, &g.handshakes, &g.messages); err != nil {
		return fmt.Errorf("draining the gateway: %w", err)
	}
	return nil
}

// Flush waits until the clients have taken everything that waits for them. If ctx ends
// first, it aborts those that have not. The error gives the number of clients that
// did not take everything, including those that Config.WriteTimeout or
// Config.Backlog aborted meanwhile.
func (g *Gateway) Flush(ctx context.Context) error {
	aborted := 0
	for _, c := range g.snapshot() {
		if !c.flushed(ctx) {
			aborted++
		}
	}
	if aborted == 0 {
		return nil
	}
	err := fmt.Errorf("%d clients did not take what was sent to them", aborted)
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return err
}

// flushed waits until nothing waits for the client, or aborts it if ctx ends first.
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
	return !c.slow
}

// Close is the last step of a stop. It sends every client what waits for it and a close
// frame with code 1001. It returns when the clients have closed too, every $disconnect
// has returned and no goroutine is left. If ctx ends first, it aborts the remaining
// connections, and the error gives their number.
//
// Unless a Drain returned nil before, replies to messages that are being handled can
// be lost: if Close waited for them, one slow client could delay the close frames of
// all others.
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

// wait waits for the groups, or returns ctx's error if ctx ends first.
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
