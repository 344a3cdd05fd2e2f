package eventsource

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"serverless-websocket/ports"
)

func TestEvent(t *testing.T) {
	sent := time.UnixMilli(1_800_000_000_123)
	m := ports.ReceivedMessage{
		ID: "id", Receipt: "receipt", Body: "a", ReceiveCount: 2, SentAt: sent, FirstReceivedAt: sent.Add(3 * time.Second),
	}
	want := events.SQSMessage{
		MessageId: "id", ReceiptHandle: "receipt", Body: "a",
		Attributes: map[string]string{
			"ApproximateReceiveCount":          "2",
			"SentTimestamp":                    "1800000000123",
			"ApproximateFirstReceiveTimestamp": "1800000003123",
		},
		EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:somewhere:1:jobs", AWSRegion: "somewhere",
	}
	got := newEvent([]ports.ReceivedMessage{m}, "arn:aws:sqs:somewhere:1:jobs").Records
	if diff := cmp.Diff([]events.SQSMessage{want}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCut(t *testing.T) {
	for _, row := range []struct {
		maxBytes int
		want     string
	}{
		{3, "[[aaaa] [bbbb] [c d] [eeeee]]"},
		{8, "[[aaaa bbbb] [c d eeeee]]"},
		{100, "[[aaaa bbbb c d eeeee]]"},
	} {
		var received []ports.ReceivedMessage
		for _, body := range []string{"aaaa", "bbbb", "c", "d", "eeeee"} {
			received = append(received, ports.ReceivedMessage{Body: body})
		}
		var got [][]string
		for _, batch := range cut(received, row.maxBytes) {
			got = append(got, bodies(batch))
		}
		if fmt.Sprint(got) != row.want {
			t.Errorf("at most %d bytes: %v, want %s", row.maxBytes, got, row.want)
		}
	}
	if got := cut(nil, 1); len(got) > 0 {
		t.Errorf("nothing was cut into %v", got)
	}
}

func bodies(batch []ports.ReceivedMessage) (all []string) {
	for _, m := range batch {
		all = append(all, m.Body)
	}
	return all
}

// A queue may deliver a message twice within one batch.
func TestTheSameMessageTwiceInABatch(t *testing.T) {
	batch := []ports.ReceivedMessage{{ID: "a", Receipt: "1"}, {ID: "b", Receipt: "2"}, {ID: "a", Receipt: "3"}}
	done, failed, err := split(batch, failures("a"))
	if !slices.Equal(done, []string{"2"}) || !slices.Equal(failed, []string{"1", "3"}) || err != nil {
		t.Errorf("done %q, failed %q, %v", done, failed, err)
	}
}

// FuzzSplit: whatever a handler answers, no message is both done and failed, and
// none is neither.
func FuzzSplit(f *testing.F) {
	f.Add("", "")
	f.Add("a", "b")
	f.Add("a", "a")
	f.Add("c", "unknown")
	batch := []ports.ReceivedMessage{{ID: "a", Receipt: "1"}, {ID: "b", Receipt: "2"}, {ID: "c", Receipt: "3"}}
	f.Fuzz(func(t *testing.T, first, second string) {
		done, failed, err := split(batch, failures(first, second))
		known := func(id string) bool {
			return slices.ContainsFunc(batch, func(m ports.ReceivedMessage) bool { return m.ID == id })
		}
		if good := known(first) && known(second); good != (err == nil) {
			t.Fatalf("failures %q and %q: %v", first, second, err)
		}
		got := slices.Sorted(slices.Values(append(done, failed...)))
		if err == nil && !slices.Equal(got, receipts(batch)) {
			t.Errorf("failures %q and %q: done %q, failed %q", first, second, done, failed)
		}
	})
}

// Both are a success to Lambda.
func TestNoFailuresAndNoListOfThem(t *testing.T) {
	batch := []ports.ReceivedMessage{{ID: "a", Receipt: "1"}, {ID: "b", Receipt: "2"}}
	for _, list := range [][]events.SQSBatchItemFailure{nil, {}} {
		done, failed, err := split(batch, events.SQSEventResponse{BatchItemFailures: list})
		if !slices.Equal(done, receipts(batch)) || len(failed) > 0 || err != nil {
			t.Errorf("%#v: done %q, failed %q, %v", list, done, failed, err)
		}
	}
}
