package apigwposter

import (
	"context"
	"time"
)

// maxHandshakes is how many connections may be opening at once. Handshakes cost
// CPU: if a burst made hundreds of them side by side on a slice of a core, none
// would be done in time. The posts that wait take connections that come free.
const maxHandshakes = 16

// pool holds the connections.
type pool struct {
	dial       func(context.Context) (*conn, error)
	idle       chan *conn
	open       chan struct{} // holds one for each connection there is
	handshakes chan struct{} // holds one for each connection that is opening
}

func newPool(dial func(context.Context) (*conn, error), size int) *pool {
	return &pool{
		dial:       dial,
		idle:       make(chan *conn, size),
		open:       make(chan struct{}, size),
		handshakes: make(chan struct{}, maxHandshakes),
	}
}

// take returns a connection, idle or new, that has to be put back.
func (p *pool) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c := p.ready(); c != nil {
		return c, nil
	}
	select {
	case c := <-p.idle:
		return c, nil
	case p.open <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := p.add(ctx)
	if err != nil {
		<-p.open
	}
	return c, err
}

// ready returns an idle connection that is good, or nil.
func (p *pool) ready() *conn {
	for {
		select {
		case c := <-p.idle:
			if !c.stale() {
				return c
			}
			p.discard(c)
		default:
			return nil
		}
	}
}

// add opens a connection, unless another comes free while it waits for its turn.
func (p *pool) add(ctx context.Context) (*conn, error) {
	select {
	case c := <-p.idle:
		<-p.open
		return c, nil
	case p.handshakes <- struct{}{}:
		defer func() { <-p.handshakes }()
		return p.dial(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) put(c *conn) {
	if c.broken {
		p.discard(c)
		return
	}
	c.usedAt = time.Now()
	p.idle <- c // has room for all that are open
}

func (p *pool) discard(c *conn) {
	_ = c.socket.Close()
	<-p.open
}
