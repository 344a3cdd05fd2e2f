package main

import (
	"context"
	"sync"

	"serverless-websocket/integration/tools/load/wire"
)

// sendUnderFlood sends; in scenario flood, one more client floods meanwhile.
func (r *loadRun) sendUnderFlood(ctx context.Context) {
	if !r.settings.chosen.flood {
		r.send(ctx)
		return
	}
	conn, err := r.dial(ctx)
	if err != nil {
		r.events.turnedAway(err)
		return
	}
	flooding, cancel := context.WithCancel(ctx)
	var client sync.WaitGroup
	client.Go(func() { conn.Flood(flooding) })
	client.Go(func() { r.readOn(flooding, conn) })
	r.send(ctx)
	cancel()
	conn.Close(nil)
	client.Wait()
}

// readOn reads and counts nothing, for a client that only floods. The server may well
// disconnect it.
func (r *loadRun) readOn(ctx context.Context, conn *wire.Conn) {
	end := conn.Receive(func(*wire.Batch) {})
	if ctx.Err() == nil {
		r.events.closed(end, true)
	}
	conn.Close(end)
}
