package dynamostore_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// behind returns a store that reaches DynamoDB through the fault, and one that reaches
// the same table directly. Their time limits suit tests that are not about time limits.
func behind(t *testing.T, opts dynamostore.Options, fault awslocal.Fault) (faulty, direct *dynamostore.Store) {
	t.Helper()
	opts.Timeout = cmp.Or(opts.Timeout, patience)
	table := awslocal.CreateTable(t)
	proxied := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), fault))
	return dynamostore.New(proxied, table, opts),
		dynamostore.New(awslocal.DynamoDB(t), table, dynamostore.Options{Timeout: patience})
}

// throttle refuses the first n requests and passes later ones on.
func throttle(n int64, seen *atomic.Int64) awslocal.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		if seen.Add(1) > n {
			next.ServeHTTP(w, r)
			return
		}
		awslocal.WriteError(w, http.StatusBadRequest, "ProvisionedThroughputExceededException")
	}
}

// operations are the calls of the port, each on a table that holds "a".
var operations = map[string]func(context.Context, *dynamostore.Store) error{
	"Put":     func(ctx context.Context, s *dynamostore.Store) error { return s.Put(ctx, live("a")) },
	"Replace": func(ctx context.Context, s *dynamostore.Store) error { return s.Replace(ctx, live("a")) },
	"Get": func(ctx context.Context, s *dynamostore.Store) error {
		_, err := s.Get(ctx, "a")
		if errors.Is(err, ports.ErrNotFound) {
			return nil // a fault can answer like that
		}
		return err
	},
	"Delete": func(ctx context.Context, s *dynamostore.Store) error { return s.Delete(ctx, "a") },
	"Scan": func(ctx context.Context, s *dynamostore.Store) error {
		_, err := s.Scan(ctx, domain.Segment{}, "")
		return err
	},
}

func TestThrottlingIsRetriedAndBounded(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			for _, tc := range []struct {
				refused, wantRequests int64
				wantError             bool
			}{
				{refused: 2, wantRequests: 3},
				{refused: 100, wantRequests: 4, wantError: true},
			} {
				var seen atomic.Int64
				store, direct := behind(t, dynamostore.Options{MaxAttempts: 4}, throttle(tc.refused, &seen))
				put(t, direct, live("a"))
				if err := call(t.Context(), store); (err != nil) != tc.wantError {
					t.Errorf("refused %d times: %v", tc.refused, err)
				}
				if seen.Load() != tc.wantRequests {
					t.Errorf("refused %d times: %d requests, want %d", tc.refused, seen.Load(), tc.wantRequests)
				}
			}
		})
	}
}

// TestThrottlingStorm retries more often than the SDK's token bucket, which a client's
// calls would share, allows. One call can meet all the refusals.
func TestThrottlingStorm(t *testing.T) {
	const calls = 150
	var seen atomic.Int64
	store, _ := behind(t, dynamostore.Options{MaxAttempts: 2*calls + 1}, throttle(2*calls, &seen))
	var group errgroup.Group
	var failed atomic.Int64
	for i := range calls {
		group.Go(func() error {
			err := store.Put(t.Context(), live(domain.ConnectionID(fmt.Sprint(i))))
			if err != nil {
				failed.Add(1)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("%d of %d puts failed, the first: %v", failed.Load(), calls, err)
	}
}

// hang returns when the client has disconnected.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice
	<-r.Context().Done()
}

func TestServerThatDoesNotAnswer(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			store, _ := behind(t, dynamostore.Options{Timeout: 50 * time.Millisecond},
				func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { hang(r) })
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(patience, cancel).Stop()
			if err := call(ctx, store); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want context.DeadlineExceeded", err)
			}
		})
	}
}

func TestCancelledWhileRetrying(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var seen atomic.Int64
			store, _ := behind(t, dynamostore.Options{MaxAttempts: 1000},
				func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
					throttle(1000, &seen)(w, r, operation, next)
					if seen.Load() == 3 {
						cancel()
					}
				})
			if err := call(ctx, store); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		})
	}
}

// handBack processes all but the last item of a batch and hands that one back, as long as
// there is more than one.
func handBack(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
	request := batchOf(r)
	for table, items := range request.RequestItems {
		if len(items) == 1 {
			break
		}
		keep := len(items) - 1
		request.RequestItems[table] = items[:keep]
		send(r, request)
		next.ServeHTTP(discard{http.Header{}}, r)
		answer(w, map[string][]json.RawMessage{table: items[keep:]})
		return
	}
	send(r, request)
	next.ServeHTTP(w, r)
}

type batch struct {
	RequestItems map[string][]json.RawMessage
}

func batchOf(r *http.Request) batch {
	var b batch
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		panic(err)
	}
	return b
}

func send(r *http.Request, b batch) {
	body, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

func answer(w http.ResponseWriter, unprocessed map[string][]json.RawMessage) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err := json.NewEncoder(w).Encode(map[string]any{"UnprocessedItems": unprocessed}); err != nil {
		panic(err)
	}
}

// discard reads the response to a request that was sent in place of another.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) WriteHeader(int)             {}
func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestUnprocessedItemsAreSentAgain(t *testing.T) {
	store, direct := behind(t, dynamostore.Options{}, handBack)
	var ids []domain.ConnectionID
	for i := range 60 {
		ids = append(ids, domain.ConnectionID(fmt.Sprint(i)))
		put(t, direct, live(ids[i]))
	}
	put(t, direct, live("kept"))
	if err := store.Delete(t.Context(), ids...); err != nil {
		t.Fatal(err)
	}
	if left := scan(t, direct, domain.Segment{})[0].Connections; len(left) != 1 || left[0].ID != "kept" {
		t.Errorf("the table holds %d rows, want 1: %+v", len(left), left)
	}
}

func TestUnprocessedItemsAreBounded(t *testing.T) {
	var seen atomic.Int64
	store, _ := behind(t, dynamostore.Options{MaxAttempts: 3},
		func(w http.ResponseWriter, r *http.Request, _ string, _ http.Handler) {
			seen.Add(1)
			answer(w, batchOf(r).RequestItems)
		})
	err := store.Delete(t.Context(), "a", "b")
	if err == nil || !strings.Contains(err.Error(), "2 rows unprocessed after 3 attempts") {
		t.Errorf("got %v", err)
	}
	if seen.Load() != 3 {
		t.Errorf("%d requests, want 3", seen.Load())
	}
}

func TestScanIsStronglyConsistent(t *testing.T) {
	store, _ := behind(t, dynamostore.Options{},
		func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
			body, _ := io.ReadAll(r.Body)
			if !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
				t.Errorf("the request is %s", body)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		})
	scan(t, store, domain.Segment{})
}
