package awsretry

import (
	"testing"
	"time"
)

func TestBackoffDoublesUpToASecond(t *testing.T) {
	p := Policy{MaxAttempts: 5, BaseDelay: 25 * time.Millisecond}
	for attempt, limit := range map[int]time.Duration{
		0: 25 * time.Millisecond, // as the SDK's newer retry mode counts
		1: 25 * time.Millisecond, 2: 50 * time.Millisecond, 5: 400 * time.Millisecond, 7: time.Second, 100: time.Second,
	} {
		longest := time.Duration(0)
		for range 1000 {
			longest = max(longest, p.Backoff(attempt))
		}
		if longest >= limit || longest < limit*9/10 {
			t.Errorf("attempt %d: up to %v, want %v", attempt, longest, limit)
		}
	}
}

func TestRetryerKeepsItsLimitUnderAStorm(t *testing.T) {
	r := Policy{MaxAttempts: 4, BaseDelay: time.Millisecond}.retryer()
	if got := r.MaxAttempts(); got != 4 {
		t.Errorf("%d attempts", got)
	}
	for i := range 1000 { // the SDK's bucket is empty after 100
		if _, err := r.GetRetryToken(t.Context(), nil); err != nil {
			t.Fatalf("retry %d: %v", i, err)
		}
	}
}
