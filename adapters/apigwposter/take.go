package apigwposter

import (
	"context"
	"errors"
	"time"
)

// take returns a connection for a request, and a function that gives it back, to be kept
// for another post or closed.
func (p *Poster) take(ctx context.Context) (c *conn, giveBack func(keep bool), err error) {
	deadline, _ := ctx.Deadline()
	for ctx.Err() == nil {
		held, err := p.conns.AcquireConn(time.Until(deadline), false)
		if err != nil {
			return nil, nil, err
		}
		c := held.Conn().(*conn)
		switch {
		case c.usable(p.now()):
			return c, func(keep bool) {
				if !keep {
					p.conns.CloseConn(held)
					return
				}
				c.usedAt = p.now()
				p.conns.ReleaseConn(held)
			}, nil
		case c.fresh():
			p.conns.CloseConn(held)
			return nil, nil, errors.New("the server hung up or sent unsolicited data")
		default:
			p.conns.CloseConn(held)
		}
	}
	return nil, nil, ctx.Err()
}
