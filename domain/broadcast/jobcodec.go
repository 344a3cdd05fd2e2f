package broadcast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

type wireConnection struct {
	ID           domain.ConnectionID `json:"id"`
	RegisteredAt int64               `json:"at"` // Unix time in milliseconds
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
		wire.Only = append(wire.Only, wireConnection{c.ID, c.RegisteredAt.UnixMilli()})
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(wire); err != nil {
		panic(err) // strings and integers alone: nothing in it can fail
	}
	return queueSafe.Replace(strings.TrimSuffix(body.String(), "\n"))
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
		job.Audience.Only = append(job.Audience.Only, domain.Connection{
			ID: c.ID, RegisteredAt: time.UnixMilli(c.RegisteredAt),
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
