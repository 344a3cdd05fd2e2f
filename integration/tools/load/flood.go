package main

import (
	"context"
	"sync"

	"serverless-websocket/integration/tools/load/wire"
)

// sendUnderFlood is send, in scenario flood while one more client floods.
func (t *trial) sendUnderFlood(ctx context.Context) {
	if !t.settings.chosen.flood {
		t.send(ctx)
		return
	}
	conn, err := t.dial(ctx)
	if err != nil {
		t.events.turnedAway(err)
		return
	}
	flooding, cancel := context.WithCancel(ctx)
	var client sync.WaitGroup
	client.Go(func() { conn.Flood(flooding) })
	client.Go(func() { t.readOn(flooding, conn) })
	t.send(ctx)
	cancel()
	conn.Close(nil)
	client.Wait()
}

// readOn reads, and counts nothing, for a client that only floods. A server may
// well put an end to that.
func (t *trial) readOn(ctx context.Context, conn *wire.Conn) {
	end := conn.Receive(func(*wire.Batch) {})
	if ctx.Err() == nil {
		t.events.closed(end, true)
	}
	conn.Close(end)
}
