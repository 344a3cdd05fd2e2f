package domain

import "time"

// Cursor is a position in a scan of the connection table. Only the store that made it
// can read it. The empty cursor is the start of a scan; as a next cursor it is the end.
type Cursor string

// MaxSegments is the most segments that a table can be divided into: DynamoDB's limit.
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
	// GoneFor is for how long, at least, posts have found the connection gone; zero if
	// none has. It adds up the delays of the jobs since the first such post: clocks
	// differ, and can be set back.
	GoneFor time.Duration
	// Rejected says that an earlier pass saw a post to it rejected although the worker may
	// post, and ran out of time or quota to confirm that with another.
	Rejected bool
}

// Fresh reports whether the target was registered less than window before now. The
// gateway answers 410 Gone for a socket that is not open yet as for one that is closed.
// A registration in the future is not fresh: its clock is wrong, or this one.
func (t Target) Fresh(now time.Time, window time.Duration) bool {
	age := now.Sub(t.RegisteredAt)
	return 0 <= age && age < window
}

// Span is the part of the table that a job covers: what a scan of Segment finds from
// Cursor on. The zero Span is the whole table.
type Span struct {
	Segment Segment
	Cursor  Cursor
}

// Job is the unit of fan-out: messages and their recipients. A worker finishes it, or
// turns the rest of it into smaller jobs.
type Job struct {
	Messages []Message
	To       Recipients
	// Epoch is that of the messages' numbers in the log of the recipients' channel; empty
	// if they have none, because they are not in the log yet, or are in no log.
	Epoch Epoch
	// Echo says that messages to a user also go to the connections of their senders, so
	// that each of these shows what another one sent. See Job.Channels.
	Echo bool
	// Only names the connections that are left; empty for all in Span. A job with Only
	// has no Span.
	Only []Target
	Span Span
	// Attempt counts the attempts that failed so far, including those that found a
	// connection gone or not open yet. A split and a scan that stopped early are progress
	// and do not count. It begins anew for what comes after progress: the rest of a scan,
	// the connections that failed in one, and the payloads after one that was delivered.
	Attempt int
	// Reason is why the job went to the dead-letter queue; empty before.
	Reason string
}

// Retry reports whether the job is a retry: for named connections that were tried
// before, or a redriven dead letter. Retries have their own queue, share of the quota
// and slots, so that they do not hold up messages that are posted for the first time.
func (j Job) Retry() bool {
	return j.Attempt > 0 && len(j.Only) > 0 || j.Reason != ""
}

// Whole reports whether the job is for all its recipients from the start.
func (j Job) Whole() bool {
	return len(j.Only) == 0 && j.Span.Segment.Whole() && j.Span.Cursor == ""
}

// ToLog reports whether the messages have to be in the log of their channel before anyone
// gets them: they have no numbers, and the job is whole. Of a part that is left from before
// there was a log, others have the messages without numbers already.
func (j Job) ToLog() bool { return j.Epoch == "" && j.Whole() }

// Channels returns the jobs for the recipients one by one: the job without Echo, and with
// it one for each other user who sent some of its messages.
func (j Job) Channels() []Job {
	if !j.Echo {
		return []Job{j}
	}
	j.Echo = false
	all := []Job{j}
	index := map[Recipients]int{j.To: 0}
	for _, m := range j.Messages {
		to := ToUser(m.Sender)
		if _, known := index[to]; !known {
			index[to] = len(all)
			all = append(all, Job{To: to, Attempt: j.Attempt, Reason: j.Reason})
		}
		if i := index[to]; i > 0 {
			all[i].Messages = append(all[i].Messages, m)
		}
	}
	return all
}
