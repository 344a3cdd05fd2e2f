package fanout

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheMarginIsForEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		b, cancel := newBudget(ctx, 8*time.Second)
		defer cancel()
		start := time.Now()
		remaining := func(ctx context.Context) time.Duration {
			deadline, _ := ctx.Deadline()
			return deadline.Sub(start)
		}
		if got := remaining(b.posts); got != 16*time.Second {
			t.Errorf("posts end after %v", got)
		}
		deletion, done := b.deletion()
		if got := remaining(deletion); got != pruneTime {
			t.Errorf("a deletion at the start ends after %v", got)
		}
		done()
		if got := b.left(time.Hour); got != 12*time.Second {
			t.Errorf("%v are left", got)
		}
		if got := b.left(time.Second); got != time.Second {
			t.Errorf("%v of a second are left", got)
		}
		time.Sleep(12 * time.Second)
		if b.spent() {
			t.Error("spent too early")
		}
		time.Sleep(time.Nanosecond)
		if !b.spent() {
			t.Error("not spent")
		}
		time.Sleep(4 * time.Second)
		deletion, done = b.deletion()
		defer done()
		if got := remaining(deletion); got != 18*time.Second {
			t.Errorf("a deletion near the deadline ends after %v", got)
		}
	})
}

func TestABudgetWithoutDeadlineLastsUntilItsContextEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	b, cancel := newBudget(ctx, time.Second)
	defer cancel()
	if b.spent() || b.left(time.Hour) != time.Hour || b.posts.Err() != nil {
		t.Error("spent at once")
	}
	stop()
	if !b.spent() || b.posts.Err() == nil || b.pause(time.Hour) {
		t.Error("not spent when the context has ended")
	}
}

func TestARetryHasLessTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for deadline, want := range map[time.Duration]time.Duration{time.Minute: retryTime, 3 * time.Second: 2 * time.Second} {
			ctx, stop := context.WithTimeout(t.Context(), deadline)
			b, cancel := newBudget(ctx, time.Second)
			if got := b.forRetry().left(time.Hour); got != want {
				t.Errorf("with %v until the deadline: %v", deadline, got)
			}
			cancel()
			stop()
		}
	})
}

func TestAPauseEndsWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		b, cancel := newBudget(ctx, 4*time.Second)
		defer cancel()
		start := time.Now()
		if b.pause(20 * time.Second) { // 10 s at least
			t.Error("there was time for a long pause")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("a pause that does not fit took %v", took)
		}
		if !b.pause(2 * time.Second) { // 3 s at most
			t.Error("there was no time for a short pause")
		}
		if took := time.Since(start); took < time.Second || took >= 3*time.Second {
			t.Errorf("a pause of 2 s took %v", took)
		}
	})
}
