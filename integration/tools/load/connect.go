package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// connect opens the first connection of each client, at the pace that was asked
// for, the senders' first: without them there is nothing to do. lives is for
// what follows.
func (t *trial) connect(ctx, lives context.Context) error {
	t.phase.Store("connecting")
	t.connecting.from = t.clock.Now()
	t.connectAll(ctx, lives, t.clients[:len(t.senders)])
	err := t.ready()
	if err == nil {
		t.connectAll(ctx, lives, t.clients[len(t.senders):])
	}
	t.connecting.to = t.clock.Now()
	t.connected = t.tally.Connected()
	return err
}

// connectAll returns when each client is connected or was refused.
func (t *trial) connectAll(ctx, lives context.Context, clients []*client) {
	slots := make(chan struct{}, handshakes)
	var dialing sync.WaitGroup
	for _, c := range clients {
		if t.pace.Wait(ctx) != nil {
			break
		}
		slots <- struct{}{}
		dialing.Go(func() {
			defer func() { <-slots }()
			t.begin(ctx, lives, c)
		})
	}
	dialing.Wait()
}

// begin opens a client's first connection, and tries only once: a service that
// refuses clients should show.
func (t *trial) begin(ctx, lives context.Context, c *client) {
	current, err := c.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.events.turnedAway(err)
		}
		return
	}
	t.living.Go(func() { c.live(lives, current) })
}

// ready tells why the senders cannot send.
func (t *trial) ready() error {
	for _, s := range t.senders {
		if s.link.isOpen() {
			continue
		}
		if _, err := t.events.neverConnected(); err != nil {
			return fmt.Errorf("cannot connect: %w", err)
		}
		return errors.New("interrupted before a client was connected")
	}
	return nil
}
