package dynamostore_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// cancel answers that a transaction was cancelled, by the reasons of its parts.
func cancel(w http.ResponseWriter, reasons ...string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	var all []map[string]string
	for _, reason := range reasons {
		all = append(all, map[string]string{"Code": reason})
	}
	if err := json.NewEncoder(w).Encode(map[string]any{
		"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": all,
	}); err != nil {
		panic(err)
	}
}

// subscriptionsInMemory returns a store whose requests the handler answers.
func subscriptionsInMemory(opts dynamostore.Options, handler http.HandlerFunc) *dynamostore.Subscriptions {
	return dynamostore.NewSubscriptions(awslocal.DynamoDBInMemory(handler), "subscriptions", "connections", opts)
}

// Transactions that meet others, or too many, are tried again until they succeed, more
// often than other requests: as long as there is time.
func TestAConflictIsTriedAgain(t *testing.T) {
	for _, reasons := range [][]string{
		{"None", "TransactionConflict", "None"}, {"ThrottlingError", "None", "None"},
		{"None", "None", "ProvisionedThroughputExceeded"},
	} {
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			store := subscriptionsInMemory(dynamostore.Options{MaxAttempts: 1}, func(w http.ResponseWriter, _ *http.Request) {
				if requests++; requests <= 8 {
					cancel(w, reasons...)
					return
				}
				_, _ = io.WriteString(w, "{}")
			})
			s := member("alice", "a")
			if err := store.Subscribe(t.Context(), s, most); err != nil || requests != 9 {
				t.Errorf("%q: %v after %d requests", reasons, err, requests)
			}
		})
	}
}

// The channels of a connection are read when no join is being written: any other read could
// miss one whose check of the connection's row has passed.
func TestAReadWaitsForTransactions(t *testing.T) {
	for name, call := range map[string]func(context.Context, *dynamostore.Subscriptions) error{
		"Clear": func(ctx context.Context, store *dynamostore.Subscriptions) error { return store.Clear(ctx, "a") },
		"Subscriptions": func(ctx context.Context, store *dynamostore.Subscriptions) error {
			_, err := store.Subscriptions(ctx, "a")
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			store := subscriptionsInMemory(dynamostore.Options{MaxAttempts: 1}, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactGetItems") {
					t.Errorf("%s reads by %s", name, r.Header.Get("X-Amz-Target"))
				}
				if requests++; requests <= 8 {
					cancel(w, "TransactionConflict")
					return
				}
				_, _ = io.WriteString(w, `{"Responses":[{}]}`)
			})
			if err := call(t.Context(), store); err != nil || requests != 9 {
				t.Errorf("%s: %v after %d requests", name, err, requests)
			}
		})
	}
}

func TestTimeoutBoundsConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := subscriptionsInMemory(dynamostore.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			cancel(w, "TransactionConflict", "None")
		})
		start := time.Now()
		err := store.Unsubscribe(t.Context(), member("alice", "a"))
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != defaultTimeout {
			t.Errorf("%v after %v, want context.DeadlineExceeded after %v", err, took, defaultTimeout)
		}
	})
}

// A condition that failed is an answer, whatever happened to the other parts.
func TestWhyATransactionIsCancelled(t *testing.T) {
	for name, test := range map[string]struct {
		reasons []string
		want    error
	}{
		"the token":          {[]string{"ConditionalCheckFailed", "None", "None"}, ports.ErrNotFound},
		"the token, a limit": {[]string{"ConditionalCheckFailed", "ConditionalCheckFailed", "None"}, ports.ErrNotFound},
		"a limit":            {[]string{"None", "ConditionalCheckFailed", "None"}, ports.ErrTooMany},
		"and a conflict":     {[]string{"TransactionConflict", "ConditionalCheckFailed", "None"}, ports.ErrTooMany},
		"another reason":     {[]string{"None", "ValidationError", "None"}, nil},
		"no reasons":         {nil, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			store := subscriptionsInMemory(dynamostore.Options{MaxAttempts: 1}, func(w http.ResponseWriter, _ *http.Request) {
				cancel(w, test.reasons...)
			})
			err := store.Subscribe(t.Context(), member("alice", "a"), most)
			if err == nil || test.want != nil && !errors.Is(err, test.want) ||
				test.want == nil && (errors.Is(err, ports.ErrNotFound) || errors.Is(err, ports.ErrTooMany)) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		})
	}
}

// Writes that meet a transaction at their row are tried again.
func TestAWriteThatMeetsATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		store := inMemory(dynamostore.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			if requests++; requests == 1 {
				awslocal.WriteError(w, http.StatusBadRequest, "TransactionConflictException")
				return
			}
			_, _ = io.WriteString(w, "{}")
		})
		if err := store.Replace(t.Context(), live("a")); err != nil || requests != 2 {
			t.Errorf("%v after %d requests", err, requests)
		}
	})
}

// A transaction that meets another is tried again as it is: it says itself what it met.
func TestTheTransactionOfAnAppendMeetsAnother(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	l.expire()
	mine, refused := l.messages(2), 0
	log := l.behind(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		if operation == "TransactWriteItems" && refused < 2 {
			refused++
			cancel(w, "TransactionConflict", "None")
			return
		}
		next.ServeHTTP(w, r)
	})
	l.numbers(l.append(log, false, mine...), 4, 5)
	if done := l.operations(); !slices.Equal(done, []string{"Query", "TransactWriteItems", "TransactWriteItems", "TransactWriteItems"}) {
		t.Errorf("done was %s", done)
	}
	l.holds(mine...)
}
