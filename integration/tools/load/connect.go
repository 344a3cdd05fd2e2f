package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// connect opens the first connection of each client at the requested rate, senders first:
// without them there is nothing to do. lives is the context for what follows.
func (r *loadRun) connect(ctx, lives context.Context) error {
	r.activity.Store("connecting")
	r.connecting.from = r.clock.Now()
	r.connectAll(ctx, lives, r.clients[:len(r.senders)])
	err := r.ready()
	if err == nil {
		err = r.awaitPositions(ctx, r.clients[:len(r.senders)])
	}
	if err == nil {
		r.connectAll(ctx, lives, r.clients[len(r.senders):])
		err = r.awaitPositions(ctx, r.clients[len(r.senders):])
	}
	r.connecting.to = r.clock.Now()
	r.connected = r.tally.Connected()
	return err
}

// connectAll returns when each client is connected or has been refused.
func (r *loadRun) connectAll(ctx, lives context.Context, clients []*client) {
	slots := make(chan struct{}, handshakes)
	var dialing sync.WaitGroup
	for _, c := range clients {
		if r.pace.Wait(ctx) != nil {
			break
		}
		slots <- struct{}{}
		dialing.Go(func() {
			defer func() { <-slots }()
			r.begin(ctx, lives, c)
		})
	}
	dialing.Wait()
}

// begin opens a client's first connection and tries only once: refusals by the service
// should show.
func (r *loadRun) begin(ctx, lives context.Context, c *client) {
	current, err := c.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.events.turnedAway(err)
		}
		return
	}
	r.living.Go(func() { c.live(lives, current) })
}

// ready says why the senders cannot send.
func (r *loadRun) ready() error {
	for _, s := range r.senders {
		if s.link.isOpen() {
			continue
		}
		if _, err := r.events.neverConnected(); err != nil {
			return fmt.Errorf("cannot connect: %w", err)
		}
		return errors.New("interrupted before a client was connected")
	}
	return nil
}
