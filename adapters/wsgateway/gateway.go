package wsgateway

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Gateway holds the connections. Its methods may be called concurrently.
type Gateway struct {
	cfg       Config
	start     time.Time // what the monotonic times in conn count from
	observers []Observer

	mu       sync.RWMutex
	conns    map[domain.ConnectionID]*conn
	slots    int // connections and handshakes that count against MaxConnections
	refused  int // handshakes since there was no slot left; 0 while there is one
	draining bool
	closed   bool

	// pending are the handshakes of which the head has not come yet.
	pending budget
	// assembling are the messages of which not all has come yet.
	assembling budget
	// turns are those to read from clients, calls those to invoke a route.
	turns, calls turns
	// floods has one who floods wait for its next window, and the others for that.
	floods  turns
	senders senders
	// goroutines run handshakes, connections that are read from, and integrations.
	goroutines *goroutines
	behind     atomic.Int64 // connections for which something waits
	poller     poller
	// handshakes and messages are what is being dealt with; Drain waits for
	// both. running counts the connections and every goroutine that Close waits for.
	handshakes, messages, running sync.WaitGroup
}

// New returns a Gateway, or an error for settings that make no sense. Nothing
// runs until a connection comes.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("gateway settings: %w", err)
	}
	g := &Gateway{cfg: cfg, start: time.Now(), observers: cfg.observers(), conns: make(map[domain.ConnectionID]*conn), goroutines: newGoroutines()}
	g.pending.limit = MaxPending
	g.assembling.limit = cfg.MessageMemory
	g.turns = make(turns, max(1, runtime.GOMAXPROCS(0)/2))
	g.calls = make(turns, cfg.Concurrency)
	g.floods = make(turns, 1)
	return g, nil
}

// Prepare implements ports.Poster: it encodes the payload's frames once for all
// connections. Besides ports.ErrTooLarge there is an error for a payload that
// is not UTF-8, which would make every client fail its connection.
//
// The Post never waits for a client: what its socket does not take waits in the
// gateway, in order. ports.ErrGone may say that the client was just aborted since
// more than Config.Backlog would wait. The only other error is ports.ErrNotSent.
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

func (g *Gateway) count() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.conns)
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

// begin counts a goroutine that Close waits for, unless Close has begun. The
// goroutine calls Done on running.
func (g *Gateway) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Add(1)
	return true
}

// admitConnection reserves a slot for a handshake. When that is over, the
// caller calls Done on handshakes; release frees the slot. The error is a refusal.
func (g *Gateway) admitConnection() error {
	refused, err := g.takeSlot()
	if refused > 0 {
		g.observe(func(o Observer) { o.ConnectionRefused(g.cfg.MaxConnections, refused) })
	}
	return err
}

// takeSlot also returns how many handshakes have been refused, if no slot is free.
func (g *Gateway) takeSlot() (refused int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return 0, unavailable
	}
	if g.slots >= g.cfg.MaxConnections {
		g.refused++
		return g.refused, unavailable
	}
	g.slots++
	g.handshakes.Add(1)
	return 0, nil
}

var unavailable = refuse(http.StatusServiceUnavailable, "Service Unavailable")

// release frees a slot. Connections count as accepted again when a twentieth of
// the slots is free, so that the log has no line for each that comes and goes.
func (g *Gateway) release() {
	if refused := g.freeSlot(); refused > 0 {
		g.observe(func(o Observer) { o.RefusalsEnded(refused) })
	}
}

// freeSlot returns how many handshakes were refused, if refusals end with this slot.
func (g *Gateway) freeSlot() (refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots--
	if g.slots <= g.cfg.MaxConnections-max(1, g.cfg.MaxConnections/20) {
		refused, g.refused = g.refused, 0
	}
	return refused
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
