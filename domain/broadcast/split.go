package broadcast

import (
	"context"

	"serverless-websocket/domain"
)

// maxSplit bounds the bytes of all the parts that a job is split into: each of
// them has all its messages.
const maxSplit = 16 << 20

// tooLarge reports whether a pass over the whole table would take one worker
// longer than it should: by what earlier passes saw, or before there were any by
// the table's first page. Of a table that has more pages nothing else is known.
func (f *FanOut) tooLarge(ctx context.Context) bool {
	if f.options.Workers <= 1 {
		return false
	}
	if takes, known := f.pace.passTakes(); known {
		return takes > f.options.PassTime
	}
	page, err := f.store.Scan(ctx, domain.Segment{}, "")
	if err != nil {
		return false // the pass will meet the error too, and deal with it
	}
	return page.Next != "" || f.pace.takes(len(page.Connections)) > f.options.PassTime
}

// split cuts a batch for everyone into parts, one for each segment of the table,
// and returns the one that this worker is to go on with; the others are left
// over. While it is busy with its own, new jobs gather on the queue and coalesce:
// one that split job after job would bury the other workers in parts, which do
// not.
func (f *FanOut) split(ctx context.Context, b batch) (own batch, err error) {
	total := min(f.options.Workers, maxSplit/weight(b.messages))
	if total <= 1 {
		return b, nil
	}
	var others []leftover
	for i := 1; i < total; i++ {
		others = append(others, b.carriedOn(domain.Audience{Segment: domain.Segment{Index: i, Total: total}}))
	}
	for _, ids := range portions(b.messages) {
		f.log.InfoContext(ctx, "split", "messageIds", ids, "segments", total)
	}
	b.audience.Segment = domain.Segment{Total: total}
	return b, f.leave(ctx, others...)
}
