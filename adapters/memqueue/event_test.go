package memqueue

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, sent := New(Config{Visibility: time.Second}), time.Now()
		send(t, q, "a")
		time.Sleep(3 * time.Second)
		receive(t, q, 1)
		batch := receive(t, q, 1)
		record := event(batch).Records[0]
		if record.MessageId != batch[0].ID || record.ReceiptHandle != batch[0].Receipt || record.Body != "a" {
			t.Errorf("%+v became %+v", batch[0], record)
		}
		if record.EventSource != "aws:sqs" || record.EventSourceARN == "" || record.AWSRegion == "" {
			t.Errorf("the record does not say where it is from: %+v", record)
		}
		for name, want := range map[string]string{
			"ApproximateReceiveCount":          "2",
			"SentTimestamp":                    strconv.FormatInt(sent.UnixMilli(), 10),
			"ApproximateFirstReceiveTimestamp": strconv.FormatInt(sent.Add(3*time.Second).UnixMilli(), 10),
		} {
			if got := record.Attributes[name]; got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// FuzzSplit: whatever a handler answers, no message is both done and failed, and
// none is neither.
func FuzzSplit(f *testing.F) {
	f.Add("", "")
	f.Add("a", "b")
	f.Add("a", "a")
	f.Add("c", "unknown")
	batch := []Message{{ID: "a", Receipt: "1"}, {ID: "b", Receipt: "2"}, {ID: "c", Receipt: "3"}}
	f.Fuzz(func(t *testing.T, first, second string) {
		done, failed, err := split(batch, failures(first, second))
		known := func(id string) bool {
			return slices.ContainsFunc(batch, func(m Message) bool { return m.ID == id })
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
	batch := []Message{{ID: "a", Receipt: "1"}, {ID: "b", Receipt: "2"}}
	for _, list := range [][]events.SQSBatchItemFailure{nil, {}} {
		done, failed, err := split(batch, events.SQSEventResponse{BatchItemFailures: list})
		if !slices.Equal(done, receipts(batch)) || len(failed) > 0 || err != nil {
			t.Errorf("%#v: done %q, failed %q, %v", list, done, failed, err)
		}
	}
}
