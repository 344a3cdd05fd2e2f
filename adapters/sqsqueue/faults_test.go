package sqsqueue_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// behind returns a queue that reaches the server through the fault, and a function that
// returns the stored bodies in lexical order. The time limit suits tests that are not
// about it.
func behind(t *testing.T, opts sqsqueue.Options, fault awslocal.Fault) (*sqsqueue.Queue, func() []string) {
	t.Helper()
	opts.Timeout = cmp.Or(opts.Timeout, patience)
	url, direct := newQueue(t), awslocal.SQS(t)
	proxied := awslocal.SQSAt(awslocal.Proxy(t, awslocal.SQSEndpoint(t), fault))
	return sqsqueue.New(proxied, url, opts), func() []string {
		var stored []string
		for {
			bodies, err := take(t.Context(), direct, url, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(bodies) == 0 {
				slices.Sort(stored)
				return stored
			}
			stored = append(stored, bodies...)
		}
	}
}

func messages(bodies ...string) []ports.QueueMessage {
	all := make([]ports.QueueMessage, len(bodies))
	for i, body := range bodies {
		all[i].Body = body
	}
	return all
}

// refusing refuses entries of a batch and passes the others on. It always refuses bodies
// that begin with "bad", as the sender's fault, or with "never", and refuses those with
// "later" the first n times. A bad entry must not be sent twice.
func refusing(t *testing.T, n int) awslocal.Fault {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		var request struct {
			QueueUrl string
			Entries  []map[string]any
		}
		check(json.NewDecoder(r.Body).Decode(&request))
		var refused []any
		request.Entries = slices.DeleteFunc(request.Entries, func(entry map[string]any) bool {
			body := entry["MessageBody"].(string)
			seen[body]++
			bad := strings.HasPrefix(body, "bad")
			if bad && seen[body] > 1 {
				t.Errorf("%s was sent again", body)
			}
			if !bad && !strings.HasPrefix(body, "never") && (!strings.HasPrefix(body, "later") || seen[body] > n) {
				return false
			}
			refused = append(refused, map[string]any{"Id": entry["Id"], "Code": "Injected", "SenderFault": bad})
			return true
		})
		answer := map[string]any{}
		if len(request.Entries) > 0 {
			answer = forward(r, request, next)
		}
		answer["Failed"] = refused
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		check(json.NewEncoder(w).Encode(answer))
	}
}

func forward(r *http.Request, request any, next http.Handler) (answer map[string]any) {
	body, err := json.Marshal(request)
	check(err)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	recorder := httptest.NewRecorder()
	next.ServeHTTP(recorder, r)
	check(json.Unmarshal(recorder.Body.Bytes(), &answer))
	return answer
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func TestPartialFailure(t *testing.T) {
	queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 3}, refusing(t, 2))
	err := queue.Send(t.Context(), messages(
		"a", "later-1", "bad-2", "", "never-4", "later-5", "g", "h", "i", "j", "k", "l", "bad-12", "n",
	)...)
	var failure *ports.SendError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a *ports.SendError", err)
	}
	for index, bad := range map[int]bool{2: true, 3: true, 4: false, 12: true} {
		if reason := failure.Failed[index]; reason == nil || errors.Is(reason, ports.ErrBadMessage) != bad {
			t.Errorf("message %d failed with %v", index, reason)
		}
	}
	if len(failure.Failed) != 4 {
		t.Errorf("%d messages failed, want 4: %v", len(failure.Failed), failure.Failed)
	}
	want := []string{"a", "g", "h", "i", "j", "k", "l", "later-1", "later-5", "n"}
	if got := stored(); !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestCancelledWhileRetrying(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen atomic.Int64
	fault := refusing(t, 1000)
	queue, _ := behind(t, sqsqueue.Options{MaxAttempts: 1000},
		func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
			fault(w, r, operation, next)
			if seen.Add(1) == 3 {
				cancel()
			}
		})
	if err := queue.Send(ctx, messages("never")...); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestNoResult has SQS respond without mentioning the message, once or always.
func TestNoResult(t *testing.T) {
	for _, tc := range []struct {
		name   string
		silent int64
		want   []string
	}{
		{name: "once", silent: 1, want: []string{"a"}},
		{name: "always", silent: 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen atomic.Int64
			queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 3},
				func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
					if seen.Add(1) > tc.silent {
						next.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/x-amz-json-1.0")
					_, err := io.WriteString(w, "{}")
					check(err)
				})
			err := queue.Send(t.Context(), messages("a")...)
			var failure *ports.SendError
			if failed := errors.As(err, &failure) && failure.Failed[0] != nil; failed == (tc.want != nil) {
				t.Errorf("got %v", err)
			}
			if got := stored(); !slices.Equal(got, tc.want) {
				t.Errorf("stored %q, want %q", got, tc.want)
			}
		})
	}
}

func TestOutage(t *testing.T) {
	for _, tc := range []struct {
		name           string
		refused, total int64
		want           []string
	}{
		{name: "short", refused: 2, total: 3, want: []string{"a"}},
		{name: "long", refused: 100, total: 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen atomic.Int64
			queue, stored := behind(t, sqsqueue.Options{MaxAttempts: 4},
				func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
					if seen.Add(1) > tc.refused {
						next.ServeHTTP(w, r)
						return
					}
					awslocal.WriteError(w, http.StatusServiceUnavailable, "ServiceUnavailable")
				})
			err := queue.Send(t.Context(), messages("a")...)
			var failure *ports.SendError
			if failed := errors.As(err, &failure) && failure.Failed[0] != nil; failed == (tc.want != nil) {
				t.Errorf("got %v", err)
			}
			if seen.Load() != tc.total {
				t.Errorf("%d requests, want %d", seen.Load(), tc.total)
			}
			if got := stored(); !slices.Equal(got, tc.want) {
				t.Errorf("stored %q, want %q", got, tc.want)
			}
		})
	}
}

// hang returns when the client has disconnected.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice
	<-r.Context().Done()
}

func TestServerThatDoesNotAnswer(t *testing.T) {
	queue, _ := behind(t, sqsqueue.Options{Timeout: 50 * time.Millisecond},
		func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { hang(r) })
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(patience, cancel).Stop()
	if err := queue.Send(ctx, messages("a")...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}
