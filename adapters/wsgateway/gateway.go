package wsgateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Gateway holds the connections. Its methods may be called concurrently.
type Gateway struct {
	cfg   Config
	start time.Time // what the monotonic times in conn count from

	mu       sync.RWMutex
	conns    map[domain.ConnectionID]*conn
	slots    int // connections and handshakes that count against MaxConnections
	draining bool

	// handshakes and messages are what is being dealt with; Drain waits for
	// both. running counts every goroutine that Close waits for.
	handshakes, messages, running sync.WaitGroup
	// writeTimeout is cfg.WriteTimeout until Drain shortens it.
	writeTimeout atomic.Int64
}

// New returns a Gateway, or an error for settings that make no sense. Nothing
// runs until a connection comes.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("gateway settings: %w", err)
	}
	g := &Gateway{cfg: cfg, start: time.Now(), conns: make(map[domain.ConnectionID]*conn)}
	g.writeTimeout.Store(int64(cfg.WriteTimeout))
	return g, nil
}

// Prepare implements ports.Poster: it encodes the payload's frames once for all
// connections. Besides ports.ErrTooLarge there is an error for a payload that
// is not UTF-8, which would make every client fail its connection.
//
// The Post never waits for a client. ports.ErrThrottled says that the client's
// buffer is full, and ports.ErrGone may say that it was just dropped for being
// owed more than Config.Backlog. The only other error is ports.ErrNotSent.
func (g *Gateway) Prepare(payload []byte) (ports.Post, error) {
	frames, err := g.encode(payload)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, id domain.ConnectionID) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", ports.ErrNotSent, err)
		}
		return g.post(id, frames)
	}, nil
}

func (g *Gateway) post(id domain.ConnectionID, frames []byte) error {
	c := g.find(id)
	if c == nil {
		return fmt.Errorf("connection %s: %w", id, ports.ErrGone)
	}
	if err := c.post(frames); err != nil {
		return fmt.Errorf("connection %s: %w", id, err)
	}
	return nil
}

func (g *Gateway) find(id domain.ConnectionID) *conn {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.conns[id]
}

func (g *Gateway) add(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c.id] = c
}

func (g *Gateway) remove(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c.id)
}

func (g *Gateway) snapshot() []*conn {
	g.mu.RLock()
	defer g.mu.RUnlock()
	conns := make([]*conn, 0, len(g.conns))
	for _, c := range g.conns {
		conns = append(conns, c)
	}
	return conns
}

// admitConnection reserves a slot for a handshake. When that is over, the
// caller calls Done on handshakes and running; release frees the slot.
func (g *Gateway) admitConnection() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining || g.slots >= g.cfg.MaxConnections {
		return false
	}
	g.slots++
	g.handshakes.Add(1)
	g.running.Add(1)
	return true
}

func (g *Gateway) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots--
}

// admitMessage says whether a message may still be accepted; if so, the caller
// calls messages.Done when it is dealt with.
func (g *Gateway) admitMessage() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.draining {
		return false
	}
	g.messages.Add(1)
	return true
}
