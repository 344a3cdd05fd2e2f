package fanout

import (
	"cmp"
	"iter"
	"slices"

	"serverless-websocket/domain"
)

// remainders cuts the messages that the targets still have to get into parts. Each
// part has the messages between two stopping points, for all targets that had stopped
// by then. So no message is left out, and none is repeated.
//
// Say the envelopes are [m1 m2] [m3] [m4], and these targets stopped before one:
//
//	a  before the first     m1 m2 | m3 | m4
//	b  before the third           |    | m4
//	c  before the third           |    | m4
//
// Then the parts are m1 m2 m3 for a, and m4 for a, b and c. A job of its own for each
// stopping point, with all messages from there on, would copy m4; such copies of a
// large batch could outgrow the queue.
func (p *pass) remainders(targets []target) iter.Seq2[batch, scope] {
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.envelope, b.envelope) })
	return func(yield func(batch, scope) bool) {
		stopped := make([]domain.Target, 0, len(targets))
		for i, t := range targets {
			stopped = append(stopped, t.Target)
			end := len(p.batch.Messages)
			if i+1 < len(targets) {
				end = p.from[targets[i+1].envelope]
			}
			part := p.batch
			part.Messages = part.Messages[p.from[t.envelope]:end]
			if t.envelope > 0 || !p.batch.byName() {
				part.Attempt = 0 // of these messages to these targets
			}
			if len(part.Messages) > 0 && !yield(part, scope{only: slices.Clone(stopped)}) {
				return
			}
		}
	}
}
