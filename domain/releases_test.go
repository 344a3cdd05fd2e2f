package domain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

// Workers of two releases read the same queues. release1 is the unchanged reader of the
// release that knew only version 1, without the limits of numbers, which are the same.
type release1 struct {
	Version  int               `json:"v"`
	Messages []release1Message `json:"messages"`
	Only     []release1Target  `json:"only,omitempty"`
	Segment  int               `json:"segment,omitempty"`
	Segments int               `json:"segments,omitempty"`
	Cursor   string            `json:"cursor,omitempty"`
	Seen     int               `json:"seen,omitempty"`
	Attempt  int               `json:"attempt,omitempty"`
	Reason   string            `json:"reason,omitempty"`
}

type release1Message struct {
	ID      string `json:"id"`
	SentAt  int64  `json:"sentAt"`
	Content string `json:"content"`
}

type release1Target struct {
	ID           string `json:"id"`
	RegisteredAt int64  `json:"at"`
	GoneFor      int64  `json:"goneFor,omitempty"`
	Rejected     bool   `json:"rejected,omitempty"`
}

func readByRelease1(body string) (w release1, err error) {
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		return w, err
	}
	if w.Version != 1 {
		return w, fmt.Errorf("version %d", w.Version)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(body)); err != nil {
		return w, err
	}
	if compact.String() != w.body() {
		return w, fmt.Errorf("not as a worker writes it")
	}
	return w, nil
}

func (w release1) body() string {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w); err != nil {
		panic(err)
	}
	return strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`).Replace(strings.TrimSuffix(body.String(), "\n"))
}

// The release before delivers every job that it reads to everyone. It must read all jobs
// for everyone, or a deployment would delay messages, and no others.
func TestTheReleaseBeforeReadsJobsForEveryoneAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := anyJob(t)
		read, err := readByRelease1(job.Encode())
		signed := slices.ContainsFunc(job.Messages, func(m domain.Message) bool { return m.Sender != "" })
		if reads := job.To == domain.ToEveryone() && !signed && !job.Echo && job.Epoch == ""; (err == nil) != reads {
			t.Fatalf("a job to %q, signed %v, epoch %q: error %v", job.To, signed, job.Epoch, err)
		}
		if err == nil && len(read.Only) != len(job.Only) {
			t.Fatalf("read %d connections of %d", len(read.Only), len(job.Only))
		}
	})
}

// A job of the release before is for everyone, or for the connections it names.
func TestJobsOfTheReleaseBeforeAreForEveryone(t *testing.T) {
	for _, body := range []string{goodBody, goodParts, goodRetry} {
		if _, err := readByRelease1(body); err != nil {
			t.Fatalf("the release before did not write %s: %v", body, err)
		}
		job, err := domain.DecodeJob(body)
		if err != nil || job.To != domain.ToEveryone() {
			t.Errorf("to %q, error %v", job.To, err)
		}
		if written := job.Encode(); written != body {
			t.Errorf("%s comes back as %s", body, written)
		}
	}
}

// The release before counts in "seen" the connections that a scan has passed.
func TestTheCountOfTheReleaseBeforeIsIgnored(t *testing.T) {
	body := strings.Replace(goodParts, `"attempt"`, `"seen":7,"attempt"`, 1)
	if _, err := readByRelease1(body); err != nil {
		t.Fatalf("the release before did not write %s: %v", body, err)
	}
	job, err := domain.DecodeJob(body)
	if err != nil || job.Encode() != goodParts {
		t.Errorf("%s comes back as %s, error %v", body, job.Encode(), err)
	}
}

// Forgotten recipients make a body that neither release reads.
func TestAJobWithoutRecipientsIsNoJob(t *testing.T) {
	job, err := domain.DecodeJob(goodBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []domain.Recipients{{}, {Kind: domain.User}, {Kind: domain.Everyone, Name: "x"}, {Name: "x"}, {Kind: 9, Name: "x"}} {
		job.To = to
		if got, err := domain.DecodeJob(job.Encode()); err == nil {
			t.Errorf("%+v became %q", to, got.To)
		}
		if _, err := readByRelease1(job.Encode()); err == nil {
			t.Errorf("the release before takes a job to %+v", to)
		}
	}
}
