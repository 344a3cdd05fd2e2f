package governor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"serverless-websocket/adapters/governor"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestPoster(t *testing.T) {
	porttest.TestPoster(t, func(*testing.T) porttest.PosterHarness {
		g := &gateway{open: map[domain.ConnectionID]chan []byte{}}
		return porttest.PosterHarness{
			Poster:   governor.New(g, governor.Options{PerSecond: 10_000}),
			Open:     g.connect,
			Closed:   "closed",
			Unknown:  "unknown",
			OpenDeaf: func(t *testing.T) domain.ConnectionID { id, _ := g.connect(t); return id },
		}
	})
}

// gateway is a poster to connections that each have room for some messages.
type gateway struct {
	mu   sync.Mutex
	open map[domain.ConnectionID]chan []byte
}

func (g *gateway) connect(t *testing.T) (domain.ConnectionID, func() []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := domain.ConnectionID(fmt.Sprint(len(g.open)))
	messages := make(chan []byte, 128)
	g.open[id] = messages
	return id, func() []byte {
		select {
		case m := <-messages:
			return m
		case <-time.After(time.Minute):
			t.Fatal("no message arrived")
			return nil
		}
	}
}

func (g *gateway) Prepare(payload []byte) (ports.Post, error) {
	if len(payload) > domain.MaxPayload {
		return nil, ports.ErrTooLarge
	}
	return func(ctx context.Context, id domain.ConnectionID) error {
		g.mu.Lock()
		messages, open := g.open[id]
		g.mu.Unlock()
		if !open {
			return ports.ErrGone
		}
		select {
		case messages <- payload:
			return ctx.Err()
		default:
			return ports.ErrThrottled
		}
	}, nil
}

func (g *gateway) Closing() ports.Post {
	return func(ctx context.Context, id domain.ConnectionID) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if _, open := g.open[id]; !open {
			return ports.ErrGone
		}
		delete(g.open, id)
		return ctx.Err()
	}
}
