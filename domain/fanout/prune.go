package fanout

import (
	"errors"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	// maxPruning is how many deletions run at once.
	maxPruning = 4
	// maxGone times Options.MaxHeld is how many connections can wait to be pruned before a
	// scan waits for that.
	maxGone = 10
)

// prune starts to delete the rows of the gone, if there are at least that many. While
// all deletions are busy, the gone wait.
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

// pruneAll prunes the gone that are left, and waits for all deletions.
func (p *pass) pruneAll() {
	p.pruning.Wait()
	p.prune(1)
	p.pruning.Wait()
}

// remove deletes the rows of connections and of their subscriptions. It may go on when
// posts have to end, see budget. The subscriptions stay while the row of a connection may be
// there still, since more could be stored meanwhile that nothing would find. What is left is
// found by the next pass: over everyone, or over a channel of the connection.
func (p *pass) remove(gone []target) {
	ctx, cancel := p.budget.deletion()
	defer cancel()
	ids := make([]domain.ConnectionID, 0, len(gone))
	for _, t := range gone {
		ids = append(ids, t.ID)
	}
	p.tally.gone.Add(int64(len(ids)))
	p.reportRejected(gone)
	err := p.worker.outside.Connections.Delete(ctx, ids...)
	if err == nil {
		err = p.worker.outside.Subscriptions.Clear(ctx, ids...)
	}
	if err != nil {
		p.worker.log.WarnContext(p.budget.ctx, "gone connections not pruned", "connections", len(ids), "error", err)
	}
}

// reportRejected logs the rows that are pruned although no post found their
// connections gone.
func (p *pass) reportRejected(pruned []target) {
	for _, t := range pruned {
		if errors.Is(t.err, ports.ErrRejected) {
			p.worker.log.WarnContext(p.budget.ctx, "pruned: the gateway rejects every post to this connection",
				"connectionId", t.ID, "error", t.err)
		}
	}
}
