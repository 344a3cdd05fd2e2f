package fanout

import (
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// closeExpired closes connections whose tokens have expired, as far as there is time, and
// has their rows pruned. Those that could not be closed are found again by the next scan.
func (p *pass) closeExpired(posts *errgroup.Group, ids []domain.ConnectionID) {
	p.worker.pool.start(posts, task{
		n: len(ids), over: p.over, turn: p.budget.turn, retry: p.batch.Retry(),
		post: func(i int) { p.closeOne(ids[i]) },
	})
}

// closeOne reads the row again: the token may have been renewed since the page was read.
// A connection that is gone may be about to open, and then has to be closed.
func (p *pass) closeOne(id domain.ConnectionID) {
	row, err := p.worker.outside.Connections.Get(p.budget.posts, id)
	if err != nil || !row.Expired(time.Now()) {
		return
	}
	err = p.closing(p.budget.posts, id)
	if opening := row.Target().Fresh(time.Now(), p.worker.options.OpenGrace); err == nil || errors.Is(err, ports.ErrGone) && !opening {
		p.tally.closed.Add(1)
		p.results.add(toPrune, target{Target: row.Target()})
	}
}
