package domain

import "time"

// Cursor is a position in the scan of the connection table. Only the store that
// made it can read it. The empty cursor is the start of a scan, and as a next
// cursor it says that the scan is over.
type Cursor string

// MaxSegments is into how many segments a table can be divided; DynamoDB's limit.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
const MaxSegments = 1_000_000

// Segment is part Index of Total of the connection table. The zero Segment is
// the whole table.
type Segment struct {
	Index, Total int
}

// Whole reports whether the segment is the whole table.
func (s Segment) Whole() bool { return s.Total <= 1 }

// Valid reports whether the segment exists.
func (s Segment) Valid() bool {
	return s == Segment{} || 0 <= s.Index && s.Index < s.Total && s.Total <= MaxSegments
}

// Target is a connection that messages are to be posted to.
type Target struct {
	ID           ConnectionID
	RegisteredAt time.Time
	// GoneFor is how long ago, at least, a post to it was first answered as if it
	// were gone; zero if none was. It adds up the delays of the jobs since then
	// rather than compare clocks, which differ and can be set back.
	GoneFor time.Duration
	// Rejected says that a post to it was rejected while one to nobody was not, and
	// that there was no time to try it once more.
	Rejected bool
}

// Fresh reports whether at now the target was registered less than window ago.
// The gateway answers 410 Gone for a socket that is not open yet just as for one
// that is closed. A registration that lies in the future says nothing: its clock
// was wrong, or this one is.
func (t Target) Fresh(now time.Time, window time.Duration) bool {
	age := now.Sub(t.RegisteredAt)
	return 0 <= age && age < window
}

// Span is how far a job goes: over the connections that a scan of Segment finds
// from Cursor on. The zero Span is the whole table.
type Span struct {
	Segment Segment
	Cursor  Cursor
}

// Job is the unit of fan-out work: these messages to those recipients. A worker
// finishes it or turns the rest of it into smaller jobs.
type Job struct {
	Messages []Message
	To       Recipients
	// Only names the connections that are left; empty for all in Span. It and a
	// Span exclude each other.
	Only []Target
	Span Span
	// Attempt counts the tries that failed so far, those included that found a
	// connection gone or not open yet. Splitting a job or carrying its cursor on is
	// progress and does not count.
	Attempt int
	// Reason is why the job was put on the dead-letter queue; empty before.
	Reason string
}

// Retry reports whether the job is a retry: for connections by name that were
// tried before, or a dead letter that was sent back. Retries have a queue, a share
// of the quota and places of their own, so that they do not hold up messages that
// are posted for the first time.
func (j Job) Retry() bool {
	return j.Attempt > 0 && len(j.Only) > 0 || j.Reason != ""
}
