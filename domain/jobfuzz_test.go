package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"serverless-websocket/domain"
)

// Every body that decodes makes frames that a client can read, and is what Encode writes.
func FuzzDecodeJob(f *testing.F) {
	f.Add(goodBody)
	f.Add(goodRetry)
	f.Add(goodParts)
	f.Add(goodRoom)
	f.Add(strings.Replace(goodBody, `"content":"1"`, `"content":"{\"a\":\"\\ud800\"}"`, 1))
	f.Add(strings.Replace(goodBody, `000A`, `00\"A`, 1))
	f.Add(`{`)
	f.Fuzz(func(t *testing.T, body string) {
		job, err := domain.DecodeJob(body)
		if err != nil {
			if !errors.Is(err, domain.ErrNotAJob) {
				t.Errorf("error %v", err)
			}
			return
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(body)); err != nil || compact.String() != written(job, body) {
			t.Errorf("%q is written %q, %v", body, written(job, body), err)
		}
		checkFrames(t, job.Messages)
	})
}

// written returns the job's body, in the version that it was read from.
func written(job domain.Job, body string) string {
	const forEveryone = `{"v":2,"to":"everyone",`
	if strings.HasPrefix(strings.Join(strings.Fields(body), ""), forEveryone) {
		return strings.Replace(job.Encode(), `{"v":1,`, forEveryone, 1)
	}
	return job.Encode()
}

// checkFrames packs the messages and reads the frames as a client does.
func checkFrames(t interface{ Fatalf(string, ...any) }, messages []domain.Message) {
	var read []string
	for _, e := range domain.Pack(domain.ToEveryone(), "", messages, domain.MaxPayload) {
		var frame struct {
			Messages []struct {
				ID      string
				SentAt  time.Time
				Sender  string
				Content json.RawMessage
			}
		}
		if err := json.Unmarshal(e.Payload, &frame); err != nil || !utf8.Valid(e.Payload) || len(e.Payload) > domain.MaxPayload {
			t.Fatalf("a frame of %d bytes: %v\n%.500q", len(e.Payload), err, e.Payload)
		}
		for _, m := range frame.Messages {
			read = append(read, m.ID+m.Sender+string(m.Content))
		}
	}
	for i, m := range messages {
		if want := string(m.ID) + m.Sender + strings.Trim(string(m.Content), " \t\r\n"); len(read) != len(messages) || read[i] != want {
			t.Fatalf("message %d of %d is %q among %q", i, len(messages), want, read)
		}
	}
}
