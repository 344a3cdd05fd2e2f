package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/adapters/memqueue"
)

const (
	// closeTimeout is for closing the sockets, after the drain. It covers the gateway's
	// own timeout, which lets a client finish sending.
	closeTimeout = 20 * time.Second
	// lingerTimeout is for HTTP requests in progress, after everything else.
	lingerTimeout = time.Second
)

// stop ends the service gracefully: it refuses new connections and frames, delivers what
// was accepted, and then closes every socket. The queues' consumers must still be
// running. It takes at most the drain timeout, closeTimeout and lingerTimeout together.
func (v *service) stop() error {
	v.log.Info("stopping", "connectionsClosedWith", 1001, "drainTimeout", v.settings.drainTimeout.String())
	hangUp := v.stopListening()
	defer hangUp()
	drained := v.drain()
	if dead := v.deadLetters.Depth().Ready; dead > 0 {
		v.log.Error("dead letters are lost when the process exits", "jobs", dead)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(drained, v.gateway.Close(ctx))
}

// stopListening frees the addresses. The function it returns ends the requests still in
// progress; sockets are not among them.
func (v *service) stopListening() (hangUp func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var servers sync.WaitGroup
	for _, l := range v.listeners {
		servers.Go(func() {
			l.Close()
			l.shutdown(ctx)
		})
	}
	return func() {
		time.AfterFunc(lingerTimeout, cancel)
		servers.Wait()
		cancel()
	}
}

// drain waits until everything accepted is delivered: from the queues to the gateway, and
// from there to the clients. Replies to a client that reads none would hold up the
// queues, so they get half the time.
func (v *service) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.settings.drainTimeout)
	defer cancel()
	replied := v.drainGateway(ctx, v.settings.drainTimeout/2)
	for _, queue := range v.queues() {
		if queue.WaitIdle(ctx) != nil {
			left := 0
			for _, q := range v.queues() {
				left += size(q)
			}
			return errors.Join(replied, fmt.Errorf("%d jobs not delivered within the drain timeout", left))
		}
	}
	return errors.Join(replied, v.gateway.Flush(ctx))
}

func (v *service) drainGateway(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return v.gateway.Drain(ctx)
}

func size(q *memqueue.Queue) int {
	depth := q.Depth()
	return depth.Ready + depth.Delayed + depth.InFlight
}
