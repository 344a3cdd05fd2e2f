package domain

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// MaxJobBody is the longest body of a job, in bytes: the limit of SQS.
const MaxJobBody = 1 << 20

// ErrNotAJob means that a body is not a job of a version that this release reads.
// Retries do not help.
var ErrNotAJob = errors.New("not a job")

// The versions of the format. Two releases run side by side during a deployment and
// after a rollback, and a worker refuses versions and members that it does not know.
// So a job is written in the oldest version that can express it, and a new version is
// for jobs that the release before would misread. Version 1 has neither recipients nor
// senders: it is for everyone. Version 3 has what a log needs, numbers and refs: the release
// before would post messages without numbers, and repeats twice.
const (
	versionForEveryone = 1
	versionOfRecipient = 2
	versionLogged      = 3
)

// Limits of a body. Its length bounds the number of messages and connections.
const (
	maxCursor  = 32 << 10
	maxSeen    = 1_000_000_000
	maxAttempt = 1_000
	maxReason  = 1 << 10 // bytes
	maxGoneFor = 30 * 24 * time.Hour
)

// wireJob is a job as it is on the queue. Content travels as a JSON string: as a
// nested value it would be compacted.
type wireJob struct {
	Version  int              `json:"v"`
	To       string           `json:"to,omitempty"`    // since version 2
	Echo     bool             `json:"echo,omitempty"`  // since version 2
	Epoch    Epoch            `json:"epoch,omitempty"` // since version 3
	Messages []wireMessage    `json:"messages"`
	Only     []wireConnection `json:"only,omitempty"`
	Segment  int              `json:"segment,omitempty"`
	Segments int              `json:"segments,omitempty"`
	Cursor   Cursor           `json:"cursor,omitempty"`
	Seen     int              `json:"seen,omitempty"` // written by the release before, and ignored
	Attempt  int              `json:"attempt,omitempty"`
	Reason   string           `json:"reason,omitempty"`
}

type wireMessage struct {
	ID      MessageID `json:"id"`
	SentAt  int64     `json:"sentAt"`           // Unix time in milliseconds
	Sender  string    `json:"sender,omitempty"` // since version 2
	To      string    `json:"to,omitempty"`     // since version 2
	Seq     int64     `json:"seq,omitempty"`    // since version 3
	Ref     string    `json:"ref,omitempty"`    // since version 3
	Again   bool      `json:"again,omitempty"`  // since version 3
	Content string    `json:"content"`
}

type wireConnection struct {
	ID           ConnectionID `json:"id"`
	RegisteredAt int64        `json:"at"`                // Unix time in milliseconds; 0 if the row did not say
	GoneFor      int64        `json:"goneFor,omitempty"` // milliseconds
	Rejected     bool         `json:"rejected,omitempty"`
}

func (w wireJob) body() string {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w); err != nil {
		panic(err) // strings and integers alone: nothing in it can fail
	}
	text := strings.TrimSuffix(body.String(), "\n")
	if !strings.Contains(text, "\uFFFE") && !strings.Contains(text, "\uFFFF") {
		return text // Replace would copy it
	}
	return queueSafe.Replace(text)
}

// queueSafe escapes the two characters that JSON allows and a queue refuses.
var queueSafe = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)
