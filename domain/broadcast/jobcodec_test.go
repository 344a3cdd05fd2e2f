package broadcast

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func TestAJobSurvivesTheQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := anyJob(t)
		body := encodeJob(job)
		if err := (ports.QueueMessage{Body: body}).Validate(); err != nil {
			t.Fatalf("the queue refuses %q: %v", body, err)
		}
		got, err := decodeJob(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(job, got); diff != "" {
			t.Fatalf("-sent +received:\n%s", diff)
		}
	})
}

func anyJob(t *rapid.T) domain.Job {
	job := domain.Job{
		Attempt: rapid.IntRange(0, 100).Draw(t, "attempt"),
		Seen:    rapid.IntRange(0, 1e6).Draw(t, "seen"),
		Reason:  strings.ToValidUTF8(rapid.String().Draw(t, "reason"), ""),
	}
	for range rapid.IntRange(1, 4).Draw(t, "messages") {
		job.Messages = append(job.Messages, domain.Message{
			ID:      domain.MessageID(rapid.StringMatching(`[0-9A-Z]{26}`).Draw(t, "id")),
			SentAt:  time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "sentAt")).UTC(),
			Content: domain.Content(anyContent().Draw(t, "content")),
		})
	}
	if rapid.Bool().Draw(t, "only") {
		for range rapid.IntRange(1, 4).Draw(t, "connections") {
			job.Audience.Only = append(job.Audience.Only, domain.Target{
				ID:           domain.ConnectionID(rapid.StringMatching(`[0-9A-Za-z_=+/-]{16}`).Draw(t, "connection")),
				RegisteredAt: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "registeredAt")),
				GoneFor:      time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "goneFor")) * time.Millisecond,
			})
		}
		return job
	}
	job.Audience.Segment.Total = rapid.IntRange(1, 9).Draw(t, "segments")
	job.Audience.Segment.Index = rapid.IntRange(0, job.Audience.Segment.Total-1).Draw(t, "segment")
	job.Audience.Cursor = domain.Cursor(rapid.StringMatching(`[0-9A-Za-z_-]*`).Draw(t, "cursor"))
	return job
}

// anyContent draws JSON as clients write it: white space, characters that
// encoding/json would escape, and those that a queue does not take as they are.
func anyContent() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := strings.ToValidUTF8(rapid.String().Draw(t, "text"), "") + "x"
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]string{
			string(quoted),
			"{ \"a\" :\t[ 1.50 , 1E400 ]\r\n, \"a\":" + string(quoted) + "}",
			"\"\uFFFE\uFFFF\u2028<>&\x7f\"",
			`"\ud800 \u0000 \ufffe"`,
		}).Draw(t, "shape")
	})
}

// A row can hold any number, and a job must not become unreadable by it.
func TestARegistrationThatIsNoTimeIsLongAgo(t *testing.T) {
	job := domain.Job{Messages: []domain.Message{{ID: "A", Content: domain.Content(`1`)}}}
	for _, at := range []int64{math.MinInt64, -1, 1_800_000_000_000_000, math.MaxInt64} {
		job.Audience.Only = []domain.Target{{ID: "c", RegisteredAt: time.UnixMilli(at)}}
		got, err := decodeJob(encodeJob(job))
		if err != nil || !got.Audience.Only[0].RegisteredAt.Equal(time.UnixMilli(0)) {
			t.Errorf("%d: %+v, error %v", at, got.Audience.Only, err)
		}
	}
}

func TestBodiesThatAreNoJob(t *testing.T) {
	const good = `{"v":1,"messages":[{"id":"A","sentAt":1,"content":"1"}]}`
	if _, err := decodeJob(good); err != nil {
		t.Fatalf("the body that the others vary is refused: %v", err)
	}
	for name, body := range map[string]string{
		"no JSON":          `hello`,
		"no object":        `[]`,
		"other version":    strings.Replace(good, `"v":1`, `"v":2`, 1),
		"no version":       strings.Replace(good, `"v":1,`, ``, 1),
		"no messages":      `{"v":1,"messages":[]}`,
		"no id":            strings.Replace(good, `"A"`, `""`, 1),
		"content no JSON":  strings.Replace(good, `"content":"1"`, `"content":"{"`, 1),
		"content null":     strings.Replace(good, `"content":"1"`, `"content":"null"`, 1),
		"segment too high": strings.Replace(good, `{"v"`, `{"segment":2,"segments":2,"v"`, 1),
		"segment negative": strings.Replace(good, `{"v"`, `{"segment":-1,"segments":2,"v"`, 1),
		"gone backwards":   strings.Replace(good, `{"v"`, `{"only":[{"id":"c","at":1,"goneFor":-1}],"v"`, 1),
		"gone for ever":    strings.Replace(good, `{"v"`, `{"only":[{"id":"c","at":1,"goneFor":9223372036854775807}],"v"`, 1),
		"trailing bytes":   good + `}`,
	} {
		if _, err := decodeJob(body); !errors.Is(err, errBadJob) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzDecodeJob(f *testing.F) {
	f.Add(`{"v":1,"messages":[{"id":"A","sentAt":1,"content":"1"}]}`)
	f.Add(`{"v":1,"messages":[{"id":"A","sentAt":1,"content":"{}"}],"only":[{"id":"c","at":5}],"attempt":3}`)
	f.Add(`{"v":1,"messages":[{"id":"A","sentAt":1,"content":"[]"}],"segment":1,"segments":2,"cursor":"x"}`)
	f.Add(`{`)
	f.Fuzz(func(t *testing.T, body string) {
		job, err := decodeJob(body)
		if err != nil {
			if !errors.Is(err, errBadJob) {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := decodeJob(encodeJob(job))
		if err != nil {
			t.Fatalf("re-encoded, %q is refused: %v", body, err)
		}
		if diff := cmp.Diff(job, again); diff != "" {
			t.Errorf("re-encoding changed the job:\n%s", diff)
		}
	})
}
