package domain_test

import (
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func TestConnectionInTime(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000)
	c := domain.Connection{ID: "a", RegisteredAt: at, ExpiresAt: at.Add(time.Hour)}
	future := domain.Target{RegisteredAt: time.UnixMilli(1_800_000_000_000_000)} // microseconds, read as milliseconds
	if future.Fresh(at, 10*time.Second) {
		t.Error("a registration thousands of years ahead is fresh")
	}
	for _, test := range []struct {
		now            time.Time
		fresh, expired bool
	}{
		{at.Add(-time.Nanosecond), false, false}, // a clock was set back
		{at, true, false},
		{at.Add(10*time.Second - 1), true, false},
		{at.Add(10 * time.Second), false, false},
		{at.Add(time.Hour - 1), false, false},
		{at.Add(time.Hour), false, true},
	} {
		if got := c.Target().Fresh(test.now, 10*time.Second); got != test.fresh {
			t.Errorf("%v after registration: fresh %v", test.now.Sub(at), got)
		}
		if got := c.Expired(test.now); got != test.expired {
			t.Errorf("%v after registration: expired %v", test.now.Sub(at), got)
		}
	}
}

func TestSegmentsThatExist(t *testing.T) {
	for segment, want := range map[domain.Segment]bool{
		{}: true, {Index: 0, Total: 1}: true, {Index: 6, Total: 7}: true,
		{Index: 0, Total: domain.MaxSegments}: true, {Index: 0, Total: domain.MaxSegments + 1}: false,
		{Index: 7, Total: 7}: false, {Index: -1, Total: 7}: false, {Index: 1, Total: 0}: false, {Index: 0, Total: -1}: false,
	} {
		if got := segment.Valid(); got != want {
			t.Errorf("%+v: valid %v", segment, got)
		}
	}
}

func TestConnectionIDsThatNameARow(t *testing.T) {
	for id, want := range map[domain.ConnectionID]bool{
		"L0SM9cOFvHcCIhw=": true, "a b\n": true, "연결": true, "": false, "a\xff": false,
		domain.ConnectionID(strings.Repeat("x", domain.MaxConnectionID)):   true,
		domain.ConnectionID(strings.Repeat("x", domain.MaxConnectionID+1)): false,
	} {
		if got := id.Valid(); got != want {
			t.Errorf("%.20q: valid %v", id, got)
		}
	}
}

func TestWhichJobsAreRetries(t *testing.T) {
	named := []domain.Target{{ID: "a"}}
	for _, test := range []struct {
		name string
		job  domain.Job
		want bool
	}{
		{"new", domain.Job{}, false},
		{"connections that were not tried", domain.Job{Only: named}, false},
		{"connections that failed", domain.Job{Only: named, Attempt: 1}, true},
		{"a scan that failed", domain.Job{Attempt: 1}, false},
		{"a dead letter of a scan", domain.Job{Reason: "503"}, true},
		{"a dead letter for connections", domain.Job{Only: named, Reason: "503"}, true},
	} {
		if got := test.job.Retry(); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
