package domain

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

// Audience says which connections a job is for: those named in Only or, when
// Only is empty, those that a scan of Segment from Cursor on finds. The zero
// Audience is everyone.
type Audience struct {
	Only    []Connection // ID and RegisteredAt; ExpiresAt is not carried
	Segment Segment
	Cursor  Cursor
}

// Job is the unit of fan-out work: these messages to this audience. A worker
// finishes it or turns what is left of it into smaller jobs.
type Job struct {
	Messages []Message
	Audience Audience
	// Attempt counts the tries that failed so far. Splitting a job or carrying
	// its cursor on is progress and does not count.
	Attempt int
	// Seen counts the connections that the scan has passed before the cursor.
	Seen int
	// Reason is why the job was put on the dead-letter queue; empty before.
	Reason string
}
