package broadcast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// jobVersion is the version of the format below. Workers of two releases run
// side by side during a deployment. A worker refuses members that it does not
// know, so a new one needs a new number; with omitempty, bodies of the version
// before are still read.
const jobVersion = 1

// Limits of what a body may hold. How many messages and connections it names is
// bounded by its length.
const (
	maxCursor  = 32 << 10
	maxSeen    = 1_000_000_000
	maxAttempt = 1_000
	maxReason  = 1 << 10 // bytes
	maxGoneFor = 30 * 24 * time.Hour
)

// errBadJob: the body is no job of this version. No retry will change that.
var errBadJob = errors.New("not a job")

// wireJob is a job as it lies on the queue. Content travels as a JSON string:
// nested as a value it would be compacted on the way.
type wireJob struct {
	Version  int              `json:"v"`
	Messages []wireMessage    `json:"messages"`
	Only     []wireConnection `json:"only,omitempty"`
	Segment  int              `json:"segment,omitempty"`
	Segments int              `json:"segments,omitempty"`
	Cursor   domain.Cursor    `json:"cursor,omitempty"`
	Seen     int              `json:"seen,omitempty"`
	Attempt  int              `json:"attempt,omitempty"`
	Reason   string           `json:"reason,omitempty"`
}

type wireMessage struct {
	ID      domain.MessageID `json:"id"`
	SentAt  int64            `json:"sentAt"` // Unix time in milliseconds
	Content string           `json:"content"`
}

// GoneFor came before bodies were held to what is written. A worker that does not
// know it ignores it, and prunes the connection at its first Gone as it always did.
type wireConnection struct {
	ID           domain.ConnectionID `json:"id"`
	RegisteredAt int64               `json:"at"`                // Unix time in milliseconds; 0 if the row did not say
	GoneFor      int64               `json:"goneFor,omitempty"` // milliseconds
	Rejected     bool                `json:"rejected,omitempty"`
}

// encodeJob returns the job as a queue body, which decodeJob accepts.
func encodeJob(job domain.Job) string {
	wire := wireJob{
		Version:  jobVersion,
		Messages: make([]wireMessage, 0, len(job.Messages)),
		Segment:  job.Audience.Segment.Index,
		Segments: job.Audience.Segment.Total,
		Cursor:   job.Audience.Cursor,
		Seen:     min(job.Seen, maxSeen),
		Attempt:  min(job.Attempt, maxAttempt),
		Reason:   shortened(job.Reason),
	}
	for _, m := range job.Messages {
		wire.Messages = append(wire.Messages, wireMessage{m.ID, m.SentAt.UnixMilli(), string(m.Content)})
	}
	for _, c := range job.Audience.Only {
		wire.Only = append(wire.Only, wireConnection{c.ID, registration(c), min(c.GoneFor, maxGoneFor).Milliseconds(), c.Rejected})
	}
	return wire.body()
}

// registration returns 0 for a time that a broken row has.
func registration(t domain.Target) int64 {
	if !domain.Plausible(t.RegisteredAt) {
		return 0
	}
	return t.RegisteredAt.UnixMilli()
}

// shortened returns as much of a reason as a job carries. An error can quote what
// is not UTF-8.
func shortened(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") // a character that was cut
	}
	return reason
}

func (w wireJob) body() string {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w); err != nil {
		panic(err) // strings and integers alone: nothing in it can fail
	}
	return queueSafe.Replace(strings.TrimSuffix(body.String(), "\n"))
}

// queueSafe escapes the two characters that JSON text may hold as they are and
// a queue body may not; see ports.QueueMessage.
var queueSafe = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// decodeJob reads a body that encodeJob wrote. Whoever can write to the queue can
// write anything, so it takes nothing else. The error wraps errBadJob.
func decodeJob(body string) (domain.Job, error) {
	wire, err := readBody(body)
	if err == nil {
		err = wire.check()
	}
	var job domain.Job
	if err == nil {
		job, err = wire.job()
	}
	if err != nil {
		return domain.Job{}, fmt.Errorf("%w: %w", errBadJob, err)
	}
	return job, nil
}

// readBody decodes a body and compares it with what would be written for that:
// encoding/json takes names in any case, repeated and unknown ones, and a
// misspelt "only" would send to everyone. White space may differ, since an
// operator who sends a dead letter back may have had it in an editor.
func readBody(body string) (wire wireJob, err error) {
	if len(body) > ports.MaxQueueBody {
		return wire, fmt.Errorf("%d bytes", len(body))
	}
	if err := json.Unmarshal([]byte(body), &wire); err != nil {
		return wire, err
	}
	if wire.Version != jobVersion {
		return wire, fmt.Errorf("version %d", wire.Version)
	}
	written := wire.body()
	if body == written {
		return wire, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(body)); err != nil {
		return wire, err
	}
	if got := compact.String(); got != written {
		return wire, fmt.Errorf("not as a worker writes it from %.100q on", got[common(got, written):])
	}
	return wire, nil
}

// common returns how many bytes two texts have in common at their start.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// check holds the members of a job to the limits that encodeJob keeps.
func (w wireJob) check() error {
	segment := domain.Segment{Index: w.Segment, Total: w.Segments}
	switch {
	case len(w.Messages) == 0:
		return errors.New("no messages")
	case !segment.Valid():
		return fmt.Errorf("segment %d of %d", w.Segment, w.Segments)
	case len(w.Only) > 0 && (segment != domain.Segment{} || w.Cursor != ""):
		return errors.New("both connections and a part of the table")
	case len(w.Cursor) > maxCursor:
		return fmt.Errorf("a cursor of %d bytes", len(w.Cursor))
	case w.Seen < 0 || w.Seen > maxSeen:
		return fmt.Errorf("%d connections seen", w.Seen)
	case w.Attempt < 0 || w.Attempt > maxAttempt:
		return fmt.Errorf("attempt %d", w.Attempt)
	case len(w.Reason) > maxReason:
		return fmt.Errorf("a reason of %d bytes", len(w.Reason))
	}
	return nil
}

// job returns the job, or the error of the first message or connection that is
// none.
func (w wireJob) job() (domain.Job, error) {
	job := domain.Job{
		Audience: domain.Audience{
			Segment: domain.Segment{Index: w.Segment, Total: w.Segments},
			Cursor:  w.Cursor,
		},
		Seen:    w.Seen,
		Attempt: w.Attempt,
		Reason:  w.Reason,
	}
	for _, m := range w.Messages {
		message, err := m.message()
		if err != nil {
			return job, err
		}
		job.Messages = append(job.Messages, message)
	}
	for _, c := range w.Only {
		target, err := c.target()
		if err != nil {
			return job, err
		}
		job.Audience.Only = append(job.Audience.Only, target)
	}
	return job, nil
}

func (w wireMessage) message() (domain.Message, error) {
	content, err := domain.ParseContent([]byte(w.Content))
	if err != nil {
		return domain.Message{}, fmt.Errorf("message %.40q: %w", w.ID, err)
	}
	return domain.NewMessage(w.ID, time.UnixMilli(w.SentAt), content)
}

func (w wireConnection) target() (domain.Target, error) {
	t := domain.Target{
		ID:           w.ID,
		RegisteredAt: time.UnixMilli(w.RegisteredAt),
		GoneFor:      time.Duration(w.GoneFor) * time.Millisecond,
		Rejected:     w.Rejected,
	}
	switch {
	case !t.ID.Valid():
		return t, fmt.Errorf("connection id %.40q", t.ID)
	case w.RegisteredAt != registration(t):
		return t, fmt.Errorf("connection %.40q was registered in the year %d", t.ID, t.RegisteredAt.UTC().Year())
	case w.GoneFor < 0 || w.GoneFor > maxGoneFor.Milliseconds():
		return t, fmt.Errorf("connection %.40q has been gone for %d ms", t.ID, w.GoneFor)
	}
	return t, nil
}
