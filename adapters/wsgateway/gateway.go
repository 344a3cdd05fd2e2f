package wsgateway

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Gateway holds the connections. Its methods are safe for concurrent use.
type Gateway struct {
	cfg       Config
	start     time.Time // the origin of the monotonic times in conn
	observers []Observer

	mu       sync.RWMutex
	conns    map[domain.ConnectionID]*conn
	slots    int // connections and handshakes that count against MaxConnections
	refused  int // handshakes since the slots ran out; 0 while connections are accepted
	draining bool
	closed   bool

	// pending counts the handshakes whose head is incomplete.
	pending budget
	// refusing counts the sockets on which refusals are sent.
	refusing budget
	// assembling counts the bytes of incomplete messages.
	assembling budget
	// turns limits reading from clients, calls limits calls of integrations.
	turns, calls turns
	// floods makes flooding clients wait for their next window one after another.
	floods  turns
	senders senders
	// waiting limits the calls that only wait.
	waiting turns
	// attempts end after Config.IntegrationTimeout.
	attempts alarms
	// goroutines runs handshakes, integrations and the reading of connections.
	goroutines *goroutines
	behind     atomic.Int64 // connections with frames waiting
	poller     poller
	// handshakes and messages count those in progress; Drain waits for both.
	// running counts the connections and all other goroutines that Close waits for.
	handshakes, messages, running sync.WaitGroup
}

// New returns a Gateway, or an error for invalid settings. It starts no goroutines.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("gateway settings: %w", err)
	}
	g := &Gateway{cfg: cfg, start: time.Now(), observers: cfg.observers(), conns: make(map[domain.ConnectionID]*conn), goroutines: newGoroutines()}
	g.pending.limit = MaxPending
	g.refusing.limit = MaxRefusing
	g.assembling.limit = cfg.MessageMemory
	g.attempts = alarms{after: cfg.IntegrationTimeout, run: g.goroutines.run}
	g.turns = make(turns, max(1, runtime.GOMAXPROCS(0)/2))
	g.calls = make(turns, cfg.Concurrency)
	g.floods = make(turns, 1)
	g.waiting = make(turns, allWaiting)
	return g, nil
}

// Prepare implements ports.Poster. It encodes the payload's frames once for all
// connections. It returns ports.ErrTooLarge, or an error for a payload that is not
// UTF-8, which would make every client fail its connection.
//
// The Post never waits for a client: what the socket does not accept at once waits
// in the gateway, in order. The Post returns ports.ErrGone also when this post
// exceeds Config.Backlog, which aborts the client. The only other error is
// ports.ErrNotSent.
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

// Closing implements ports.Poster: it closes connections with code 1000. The errors are
// ports.ErrGone and ports.ErrNotSent.
func (g *Gateway) Closing() ports.Post {
	return func(ctx context.Context, id domain.ConnectionID) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", ports.ErrNotSent, err)
		}
		if !g.disconnect(id) {
			return fmt.Errorf("connection %s: %w", id, ports.ErrGone)
		}
		return nil
	}
}

// disconnect starts to close a connection, and reports whether there was one.
func (g *Gateway) disconnect(id domain.ConnectionID) bool {
	c := g.find(id)
	if c == nil || !c.open() {
		return false
	}
	c.startClose(ws.StatusNormalClosure, "Connection Closed Normally")
	return true
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

// begin registers a goroutine that Close waits for. It returns false once Close has
// begun. The goroutine calls running.Done.
func (g *Gateway) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Add(1)
	return true
}

// admitConnection reserves a slot for a handshake. The caller calls handshakes.Done
// after the handshake; release frees the slot. The error is a refusal.
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

// release frees a slot. Refusals end only when a twentieth of the slots is free, so
// that observers do not hear of every connection that comes and goes.
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

// admitMessage reports whether a message is still accepted. If so, the caller calls
// messages.Done when it has been handled.
func (g *Gateway) admitMessage() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.draining {
		return false
	}
	g.messages.Add(1)
	return true
}
