package broadcast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"serverless-websocket/domain"
)

// jobVersion is the version of the format below. Workers of two releases run
// side by side during a deployment; a change that the older one would misread
// needs a new number.
const jobVersion = 1

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

// A worker of a release that does not know GoneFor prunes the connection at its
// first Gone, as it did before, or counts its attempts and tries it again.
type wireConnection struct {
	ID           domain.ConnectionID `json:"id"`
	RegisteredAt int64               `json:"at"`                // Unix time in milliseconds
	GoneFor      int64               `json:"goneFor,omitempty"` // milliseconds
}

// encodeJob returns the job as a queue body.
func encodeJob(job domain.Job) string {
	wire := wireJob{
		Version:  jobVersion,
		Messages: make([]wireMessage, 0, len(job.Messages)),
		Segment:  job.Audience.Segment.Index,
		Segments: job.Audience.Segment.Total,
		Cursor:   job.Audience.Cursor,
		Seen:     job.Seen,
		Attempt:  job.Attempt,
		Reason:   job.Reason,
	}
	for _, m := range job.Messages {
		wire.Messages = append(wire.Messages, wireMessage{m.ID, m.SentAt.UnixMilli(), string(m.Content)})
	}
	for _, c := range job.Audience.Only {
		wire.Only = append(wire.Only, wireConnection{c.ID, registeredAt(c), c.GoneFor.Milliseconds()})
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(wire); err != nil {
		panic(err) // strings and integers alone: nothing in it can fail
	}
	return queueSafe.Replace(strings.TrimSuffix(body.String(), "\n"))
}

// endOfTime is the end of the year 9999, in Unix milliseconds.
const endOfTime = 253_402_300_799_999

// registeredAt returns the target's registration as a job carries it. A row can
// hold any number; one that is no time is as good as none.
func registeredAt(t domain.Target) int64 {
	if at := t.RegisteredAt.UnixMilli(); 0 <= at && at <= endOfTime {
		return at
	}
	return 0
}

// queueSafe escapes the two characters that JSON text may hold as they are and
// a queue body may not; see ports.QueueMessage.
var queueSafe = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// decodeJob reads a body that encodeJob wrote. The error wraps errBadJob.
func decodeJob(body string) (domain.Job, error) {
	var wire wireJob
	if err := json.Unmarshal([]byte(body), &wire); err != nil {
		return domain.Job{}, fmt.Errorf("%w: %v", errBadJob, err)
	}
	if wire.Version != jobVersion {
		return domain.Job{}, fmt.Errorf("%w: version %d", errBadJob, wire.Version)
	}
	job := domain.Job{
		Audience: domain.Audience{
			Segment: domain.Segment{Index: wire.Segment, Total: wire.Segments},
			Cursor:  wire.Cursor,
		},
		Seen:    wire.Seen,
		Attempt: wire.Attempt,
		Reason:  wire.Reason,
	}
	if !job.Audience.Segment.Valid() {
		return domain.Job{}, fmt.Errorf("%w: segment %d of %d", errBadJob, wire.Segment, wire.Segments)
	}
	for _, c := range wire.Only {
		if c.GoneFor < 0 || c.GoneFor > math.MaxInt64/int64(time.Millisecond) {
			return domain.Job{}, fmt.Errorf("%w: connection gone for %d ms", errBadJob, c.GoneFor)
		}
		job.Audience.Only = append(job.Audience.Only, domain.Target{
			ID: c.ID, RegisteredAt: time.UnixMilli(c.RegisteredAt), GoneFor: time.Duration(c.GoneFor) * time.Millisecond,
		})
	}
	var err error
	job.Messages, err = decodeMessages(wire.Messages)
	return job, err
}

func decodeMessages(wire []wireMessage) ([]domain.Message, error) {
	if len(wire) == 0 {
		return nil, fmt.Errorf("%w: no messages", errBadJob)
	}
	messages := make([]domain.Message, 0, len(wire))
	for _, w := range wire {
		content, err := domain.ParseContent([]byte(w.Content))
		if err != nil {
			return nil, fmt.Errorf("%w: message %q: %w", errBadJob, w.ID, err)
		}
		m, err := domain.NewMessage(w.ID, time.UnixMilli(w.SentAt), content)
		if err != nil || w.ID == "" {
			return nil, fmt.Errorf("%w: message %q: %v", errBadJob, w.ID, err)
		}
		messages = append(messages, m)
	}
	return messages, nil
}
