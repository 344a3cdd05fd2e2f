package fanout

import (
	"context"
	"errors"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxPruning is how many deletions are under way at once.
	maxPruning = 4
	// maxGone is how many connections wait to be pruned before posts wait for that,
	// in multiples of those that are pruned together.
	maxGone = 10
	// pruneTime bounds each deletion: the worker is not kept longer by it than by a
	// slow post.
	pruneTime = 3 * time.Second
)

// prune deletes the rows of the gone, if there are at least so many, beside the
// posts: while all deletions are busy, the gone gather.
func (p *pass) prune(atLeast int) {
	gone := p.results.take(toPrune, atLeast)
	if len(gone) == 0 {
		return
	}
	remove := func() error {
		p.remove(gone)
		return nil
	}
	if len(gone) >= maxGone*p.options.MaxHeld {
		p.pruning.Go(remove)
	} else if !p.pruning.TryGo(remove) {
		p.results.add(toPrune, gone...)
	}
}

// pruneAll deletes what rows of the gone are left, and waits until all are.
func (p *pass) pruneAll() {
	p.pruning.Wait()
	p.prune(1)
	p.pruning.Wait()
}

// remove deletes the rows, also when all other work has to end, but not until the
// invocation has no time left to end by itself. Rows that cannot be deleted now
// are found again by the next pass.
func (p *pass) remove(gone []target) {
	ctx, cancel := before(p.ctx, p.options.DeadlineMargin/4)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, pruneTime)
	defer stop()
	ids := make([]domain.ConnectionID, 0, len(gone))
	for _, t := range gone {
		ids = append(ids, t.ID)
	}
	p.tally.gone.Add(int64(len(ids)))
	p.reportRejected(gone)
	if err := p.Connections.Delete(ctx, ids...); err != nil {
		p.log.WarnContext(p.ctx, "gone connections not pruned", "connections", len(ids), "error", err)
	}
}

// reportRejected says which rows are pruned though nobody says that their
// connections are gone.
func (p *pass) reportRejected(pruned []target) {
	for _, t := range pruned {
		if errors.Is(t.err, ports.ErrRejected) {
			p.log.WarnContext(p.ctx, "pruned: the gateway rejects every post to this connection",
				"connectionId", t.ID, "error", t.err)
		}
	}
}
