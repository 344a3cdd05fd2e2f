package fanout

import (
	"errors"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxPruning is how many deletions are under way at once.
	maxPruning = 4
	// maxGone is how many connections wait to be pruned before posts wait for that,
	// in multiples of those that are pruned together.
	maxGone = 10
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
	if len(gone) >= maxGone*p.worker.options.MaxHeld {
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
	ctx, cancel := p.budget.deletion()
	defer cancel()
	ids := make([]domain.ConnectionID, 0, len(gone))
	for _, t := range gone {
		ids = append(ids, t.ID)
	}
	p.tally.gone.Add(int64(len(ids)))
	p.reportRejected(gone)
	if err := p.worker.outside.Connections.Delete(ctx, ids...); err != nil {
		p.worker.log.WarnContext(p.budget.ctx, "gone connections not pruned", "connections", len(ids), "error", err)
	}
}

// reportRejected says which rows are pruned though nobody says that their
// connections are gone.
func (p *pass) reportRejected(pruned []target) {
	for _, t := range pruned {
		if errors.Is(t.err, ports.ErrRejected) {
			p.worker.log.WarnContext(p.budget.ctx, "pruned: the gateway rejects every post to this connection",
				"connectionId", t.ID, "error", t.err)
		}
	}
}
