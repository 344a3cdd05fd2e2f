package testenv

import (
	"context"
	"testing"
	"time"
)

// PollInterval is how often a condition is checked.
const PollInterval = 10 * time.Millisecond

// Eventually waits until the condition holds and fails the test if it does not within the
// timeout. what describes the expected event.
func Eventually(t testing.TB, timeout time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := Poll(ctx, condition); err != nil {
		t.Fatalf("not within %v: %s", timeout, what)
	}
}

// Poll waits until the condition holds. The error is that of ctx. The condition is
// checked once more after ctx has ended, so that a slow machine that had no chance to
// check does not cause a failure.
func Poll(ctx context.Context, condition func() bool) error {
	ticker := time.NewTicker(PollInterval)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if condition() {
				return nil
			}
			return ctx.Err()
		}
	}
	return nil
}
