package sqsqueue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// numbered returns messages that fill three batches, and their bodies.
func numbered() (all []ports.QueueMessage, bodies []string) {
	for i := range 25 {
		bodies = append(bodies, fmt.Sprintf("message-%02d", i))
	}
	return messages(bodies...), bodies
}

// unstored returns the indices that the error of a Send names.
func unstored(t *testing.T, err error) []int {
	t.Helper()
	var failure *ports.SendError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a *ports.SendError", err)
	}
	return slices.Sorted(maps.Keys(failure.Failed))
}

func upTo(from, end int) (all []int) {
	for i := from; i < end; i++ {
		all = append(all, i)
	}
	return all
}

// breaking breaks the n-th request and those after it, up to the last.
func breaking(n, last int64, how http.HandlerFunc) awslocal.Fault {
	var seen atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if i := seen.Add(1); n <= i && i <= last {
			how(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func unavailable(w http.ResponseWriter, _ *http.Request) {
	awslocal.WriteError(w, http.StatusServiceUnavailable, "ServiceUnavailable")
}

// TestABatchThatFailsIsSentAgainAlone has SQS fail between the batches of one Send. A
// caller that resends what the error names has sent each message once.
func TestABatchThatFailsIsSentAgainAlone(t *testing.T) {
	for _, tc := range []struct {
		name    string
		n, last int64
		want    []int
	}{
		{"the first batch", 1, 2, upTo(0, 10)},
		{"a batch in the middle", 2, 3, upTo(10, 20)},
		{"the last batch", 3, 4, upTo(20, 25)},
		{"all after the first", 2, 5, upTo(10, 25)},
		{"all", 1, 6, upTo(0, 25)},
		{"an attempt for one", 2, 2, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 2}, breaking(tc.n, tc.last, unavailable))
			all, bodies := numbered()
			if err := queue.Send(t.Context(), all...); tc.want != nil || err != nil {
				var again []ports.QueueMessage
				for _, i := range unstored(t, err) {
					again = append(again, all[i])
				}
				if got := unstored(t, err); !slices.Equal(got, tc.want) {
					t.Errorf("the error names %v, want %v", got, tc.want)
				}
				if err := queue.Send(t.Context(), again...); err != nil {
					t.Fatal(err)
				}
			}
			if got := stored(); !slices.Equal(got, bodies) {
				t.Errorf("%d messages stored, want each of %d once: %q", len(got), len(bodies), got)
			}
		})
	}
}

// TestContextThatEnds has the context end while the second batch is in flight.
func TestContextThatEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen atomic.Int64
	queue, stored := behind(t, sqsqueue.Options{}, func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if seen.Add(1) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		cancel()
		hang(r)
	})
	all, bodies := numbered()
	err := queue.Send(ctx, all...)
	if got := unstored(t, err); !slices.Equal(got, upTo(10, 25)) || !errors.Is(err, context.Canceled) {
		t.Errorf("the error names %v, want all after the first batch: %v", got, err)
	}
	if seen.Load() != 2 {
		t.Errorf("%d requests, want 2", seen.Load())
	}
	if got := stored(); !slices.Equal(got, bodies[:10]) {
		t.Errorf("stored %q", got)
	}
}

// TestLostAnswer has SQS store a batch but loses its answer. The caller cannot know that
// it is stored, so the error names it.
func TestLostAnswer(t *testing.T) {
	var seen atomic.Int64
	queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 1},
		func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
			if seen.Add(1) != 2 {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	all, bodies := numbered()
	if got := unstored(t, queue.Send(t.Context(), all...)); !slices.Equal(got, upTo(10, 20)) {
		t.Errorf("the error names %v, want the second batch", got)
	}
	if got := stored(); !slices.Equal(got, bodies) {
		t.Errorf("stored %q", got)
	}
}

// TestOutageWhileARestIsSentAgain has SQS refuse some entries first and then everything.
func TestOutageWhileARestIsSentAgain(t *testing.T) {
	refuse := refusing(t, 1000)
	var seen atomic.Int64
	queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 2},
		func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
			if seen.Add(1) == 1 {
				refuse(w, r, operation, next)
				return
			}
			unavailable(w, r)
		})
	err := queue.Send(t.Context(), messages("a", "later-1", "b", "later-3", "bad-4")...)
	if got := unstored(t, err); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("the error names %v, want what was refused", got)
	}
	var failure *ports.SendError
	if errors.As(err, &failure) && !strings.Contains(failure.Failed[3].Error(), "Injected") {
		t.Errorf("the refusal is missing from %v", failure.Failed[3])
	}
	if got := stored(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("stored %q", got)
	}
}
