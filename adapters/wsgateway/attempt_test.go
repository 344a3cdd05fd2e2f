package wsgateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// attempted makes an attempt with a time limit of a minute, in a bubble.
func attempted(t *testing.T, call func(context.Context, string) (string, error), want string, wantErr error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, err := New(Config{IntegrationTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer g.goroutines.end()
		finished := 0
		attempt(g, call, "event", func(got string, err error) {
			finished++
			if got != want || !errors.Is(err, wantErr) {
				t.Errorf("finished with %q, %v; want %q, %v", got, err, want, wantErr)
			}
		})
		synctest.Wait()
		if finished != 1 {
			t.Errorf("finished %d times", finished)
		}
	})
}

func TestAttemptInTime(t *testing.T) {
	failure := errors.New("failure")
	var kept context.Context
	attempted(t, func(ctx context.Context, event string) (string, error) {
		kept = ctx
		go func() { <-ctx.Done() }() // or the bubble does not end
		if by, ok := ctx.Deadline(); !ok || time.Until(by) != time.Minute {
			t.Errorf("deadline in %v", time.Until(by))
		}
		if ctx.Err() != nil || ctx.Value(failure) != nil {
			t.Errorf("error %v, value %v", ctx.Err(), ctx.Value(failure))
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if ctx.Err() != nil {
			t.Error("ended during the call")
		}
		return event, failure
	}, "event", failure)
	if kept.Err() != context.Canceled {
		t.Errorf("after the call: %v", kept.Err())
	}
}

// A context that is asked for late, or that another is derived from, ends too.
func TestAttemptThatTakesTooLong(t *testing.T) {
	attempted(t, func(ctx context.Context, event string) (string, error) {
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		<-derived.Done()
		<-ctx.Done()
		if ctx.Err() != context.DeadlineExceeded || derived.Err() != context.DeadlineExceeded {
			t.Errorf("errors %v, %v", ctx.Err(), derived.Err())
		}
		return event, nil
	}, "", errTimedOut)
	attempted(t, func(ctx context.Context, event string) (string, error) {
		time.Sleep(2 * time.Minute)
		<-ctx.Done()
		return event, nil
	}, "", errTimedOut)
}
