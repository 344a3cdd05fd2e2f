package fanout

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// pageRead is a page and the cursor it was read from, or why it could not be.
type pageRead struct {
	from domain.Cursor
	page ports.Page
	err  error
}

// scan posts to the batch's part of the table, page by page.
func (p *pass) scan(posts *errgroup.Group) {
	ctx, cancel := context.WithCancel(p.budget.posts)
	pages, left := make(chan pageRead), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { p.readAhead(ctx, pages, left) })
	defer func() {
		close(left)
		cancel()
		reader.Wait()
	}()
	for next := range pages {
		rest := scope{span: p.batch.Span}
		rest.span.Cursor = next.from
		if p.over() {
			p.requeueScan(p.unfinished(rest))
			return
		}
		if next.err != nil {
			p.tally.err = fmt.Errorf("scan the connections of %s: %w", p.batch.To, next.err)
			p.requeueScan(p.worker.options.requeued(p.restOfScan(), rest, unavailable, p.tally.err))
			return
		}
		p.tally.pages++
		p.tally.scanned += len(next.page.Connections)
		p.offerAll(posts, len(next.page.Connections), func(i int) domain.Target { return next.page.Connections[i].Target() })
		p.closeExpired(posts, next.page.Expired)
		p.requeue(p.worker.options.MaxHeld)
		p.prune(p.worker.options.MaxHeld)
	}
	p.learn(true)
}

// readAhead reads the pages, one ahead of the scan, until the last one, an error, or
// until the scan has left. It must not stop when the context ends: the scan would take
// that for the end of the table and not requeue the rest.
func (p *pass) readAhead(ctx context.Context, pages chan<- pageRead, left <-chan struct{}) {
	defer close(pages)
	for cursor := p.batch.Span.Cursor; ; {
		page, err := p.worker.page(ctx, p.batch.To, p.batch.Span.Segment, cursor)
		select {
		case pages <- pageRead{cursor, page, err}:
		case <-left:
			return
		}
		if cursor = page.Next; cursor == "" || err != nil {
			return
		}
	}
}

// page reads a page of the recipients.
func (w *Worker) page(ctx context.Context, to domain.Recipients, segment domain.Segment, from domain.Cursor) (ports.Page, error) {
	if to.Kind == domain.Everyone {
		return w.outside.Connections.Scan(ctx, segment, from)
	}
	return w.outside.Subscriptions.Subscribers(ctx, to, segment, from)
}

// restOfScan is the batch for the rest of the scan. A scan that made progress counts
// its failures from zero, unless this worker may not post.
func (p *pass) restOfScan() batch {
	b := p.batch
	if p.tally.pages > 0 && !p.permission.denied.Load() {
		b.Attempt = 0
	}
	return b
}

// unfinished returns the job for the rest of a scan that ends early, and notes why if
// this worker may not post.
func (p *pass) unfinished(rest scope) requeuedJob {
	if why := p.permission.why(); why != nil {
		p.tally.err = why
		return p.worker.options.requeued(p.restOfScan(), rest, unavailable, why)
	}
	return p.worker.options.requeued(p.restOfScan(), rest, untried, nil)
}

// requeueScan requeues the rest of the scan.
func (p *pass) requeueScan(rest requeuedJob) {
	p.learn(false)
	p.tally.scanRequeued = true
	p.requeueJobs(rest)
}

// learn notes how fast this worker is and, if the scan began at the start of its
// segment, how many the recipients are: at least, unless the scan is over. A segment is
// taken to be as large as the others.
func (p *pass) learn(over bool) {
	if !p.batch.Retry() { // which has less of the quota
		p.lane.speed.learn(int(p.tally.posts.Load()), time.Since(p.started))
	}
	if p.batch.Span.Cursor == "" {
		p.worker.sizes.learn(p.batch.To, p.tally.scanned*max(1, p.batch.Span.Segment.Total), over)
	}
}
