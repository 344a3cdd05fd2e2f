package fanout

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"serverless-websocket/domain"
)

// Report is what a pass did. Connections are counted by how the pass left them. One for
// which a payload was too large is among the failed, and can be among others for the rest.
type Report struct {
	Job  domain.Job    // with the messages of all jobs that shared the pass, in order
	Took time.Duration // the pass
	Age  time.Duration // of the oldest message, at the end of the pass

	Posts     int // payloads sent, or tried
	Throttled int // of them answered 429
	Pages     int // of the scan

	Delivered    int  // connections that got everything
	Gone         int  // to be pruned: the deletion may have failed, and is logged then
	NotYetOpen   int  // gone, but perhaps about to open: requeued
	Unconfirmed  int  // gone or rejected alone, to be confirmed: requeued
	Closed       int  // of users whose tokens had expired
	Failed       int  // answered 429 or any other error: requeued, or dead letters
	Requeued     int  // named in requeued jobs or dead letters; one in two jobs counts twice
	ScanRequeued bool // the rest of the scan became another job

	Err error // why the first ones failed, or the scan; nil if none did
}

// Audience names the connections that the pass was for, but no user: the name is no
// business of those who read logs.
func (r Report) Audience() string {
	segment := r.Job.Span.Segment
	part := ""
	switch {
	case len(r.Job.Only) > 0:
		return strconv.Itoa(len(r.Job.Only)) + " connections"
	case !segment.Whole():
		part = "segment " + strconv.Itoa(segment.Index) + " of " + strconv.Itoa(segment.Total)
	case r.Job.Span.Cursor != "":
		part = "from a cursor on"
	}
	switch to := r.Job.To; {
	case to.Kind == domain.User:
		return strings.TrimSpace("a user " + part)
	case to.Kind == domain.Room:
		return strings.TrimSpace(to.String() + " " + part)
	case !segment.Whole():
		return part
	default:
		return strings.TrimSpace(to.String() + " " + part)
	}
}

// tally counts for the report while the pass runs.
type tally struct {
	posts, throttled, delivered, gone, closed atomic.Int64

	notYetOpen, unconfirmed, failed, requeued int

	pages, scanned int // of the scan, and the connections on them
	scanRequeued   bool
	err            error
}

func (p *pass) report() Report {
	return Report{
		Job:          p.batch.Job,
		Took:         time.Since(p.started),
		Age:          time.Since(p.batch.Messages[0].SentAt),
		Posts:        int(p.tally.posts.Load()),
		Throttled:    int(p.tally.throttled.Load()),
		Pages:        p.tally.pages,
		Delivered:    int(p.tally.delivered.Load()),
		Gone:         int(p.tally.gone.Load()),
		Closed:       int(p.tally.closed.Load()),
		NotYetOpen:   p.tally.notYetOpen,
		Unconfirmed:  p.tally.unconfirmed,
		Failed:       p.tally.failed,
		Requeued:     p.tally.requeued,
		ScanRequeued: p.tally.scanRequeued,
		Err:          p.tally.err,
	}
}
