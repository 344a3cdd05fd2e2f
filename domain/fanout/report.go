package fanout

import (
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
)

// tally counts what a pass did. Connections are counted by how the pass left
// them.
type tally struct {
	posts       atomic.Int64 // payloads sent or tried
	throttled   atomic.Int64 // of them answered 429
	delivered   atomic.Int64 // connections that got everything
	gone        atomic.Int64 // answered 410, to be pruned
	notYetOpen  int          // answered 410 but may be about to open: left over for later
	unconfirmed int          // answered 410, which is yet to be confirmed: left over for later
	failed      int          // left over after 429 or any other error
	leftOver    int          // handed to other jobs, once for each: the last three and the untried
	reason      error        // why the first ones failed, or the scan
	carriedOn   bool         // the rest of the scan was handed to another job
	pages       int          // of the scan
	scanned     int          // connections on them
}

// report logs the pass, so that each of its messages can be followed by its id.
// The first line has the counts; a batch of very many messages has more lines,
// which name the rest of them and the first, by which to find the counts.
func (p *pass) report() {
	level, first := p.level(), p.batch.Messages[0]
	for i, part := range chunks(p.batch.Messages) {
		if i > 0 {
			p.worker.log.Log(p.budget.ctx, level, "fanned out as well", "messageIds", part, "with", first.ID)
			continue
		}
		p.worker.log.Log(p.budget.ctx, level, "fanned out", append(p.counts(), "messageIds", part,
			"durationMs", time.Since(p.started).Milliseconds(),
			"ageMs", time.Since(first.SentAt).Milliseconds())...)
	}
}

// level is a warning when something is wrong that no retry may mend. A retry that
// changed nothing is for debugging: of a slow client there are many.
func (p *pass) level() slog.Level {
	switch {
	case unexpected(p.tally.reason):
		return slog.LevelWarn
	case p.batch.Retry() && p.tally.delivered.Load() == 0 && p.tally.gone.Load() == 0:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (p *pass) counts() []any {
	counts := []any{"messages", len(p.batch.Messages),
		"audience", describe(p.batch.Job), "attempt", p.batch.Attempt,
		"delivered", p.tally.delivered.Load(), "gone", p.tally.gone.Load(),
		"throttled", p.tally.throttled.Load(), "failed", p.tally.failed,
		"unopened", p.tally.notYetOpen, "unconfirmed", p.tally.unconfirmed,
		"leftOver", p.tally.leftOver, "carriedOn", p.tally.carriedOn,
		"posts", p.tally.posts.Load(), "pages", p.tally.pages}
	if p.tally.reason != nil {
		counts = append(counts, "reason", p.tally.reason.Error())
	}
	return counts
}

// describe names the connections of a job for the log.
func describe(j domain.Job) string {
	switch {
	case len(j.Only) > 0:
		return strconv.Itoa(len(j.Only)) + " connections"
	case !j.Span.Segment.Whole():
		return "segment " + strconv.Itoa(j.Span.Segment.Index) + " of " + strconv.Itoa(j.Span.Segment.Total)
	case j.Span.Cursor != "":
		return "everyone from a cursor on"
	}
	return "everyone"
}
