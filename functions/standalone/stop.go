package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stop ends the service gracefully: no new connections and frames, what was
// accepted is delivered, then every socket is closed. The queue's consumer must
// still run.
func (v *service) stop() error {
	v.log.Info("stopping", "connectionsClosedWith", 1001, "drainTimeout", v.settings.drainTimeout.String())
	ctx, cancel := context.WithTimeout(context.Background(), v.settings.drainTimeout)
	defer cancel()
	// A client that takes nothing would hold up its last messages for ever; it
	// is dropped early enough for the others to be served.
	v.gateway.Drain(v.settings.drainTimeout / 4)
	drained := v.queue.WaitIdle(ctx)
	if drained != nil {
		depth := v.queue.Depth()
		drained = fmt.Errorf("%d jobs not delivered within the drain timeout", depth.Ready+depth.Delayed+depth.InFlight)
	}
	if dead := v.deadLetters.Depth().Ready; dead > 0 {
		v.log.Error("dead letters end with the process", "jobs", dead)
	}
	return errors.Join(drained, v.close())
}

// close takes as long as it must, not what the drain has left of its time, but
// is bounded as well.
func (v *service) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.settings.drainTimeout+10*time.Second)
	defer cancel()
	closed := v.gateway.Close(ctx)
	for _, l := range v.listeners {
		closed = errors.Join(closed, l.server.Shutdown(ctx))
	}
	return closed
}
