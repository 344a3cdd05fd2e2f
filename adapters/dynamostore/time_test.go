package dynamostore_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/integration/environments/awslocal"
)

// How a store spends its time is tested in virtual time, with its own limits.
const (
	defaultTimeout = 4 * time.Second
	attemptLimit   = defaultTimeout / 3
)

// inMemory returns a store whose requests the handler answers.
func inMemory(opts dynamostore.Options, handler http.HandlerFunc) *dynamostore.Store {
	return dynamostore.New(awslocal.DynamoDBInMemory(handler), "connections", opts)
}

// TestAttemptWithoutAnAnswer leaves time for another attempt, which succeeds.
func TestAttemptWithoutAnAnswer(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				store := inMemory(dynamostore.Options{}, func(w http.ResponseWriter, r *http.Request) {
					if requests++; requests == 1 {
						hang(r)
					}
					_, _ = io.WriteString(w, "{}")
				})
				start := time.Now()
				if err := call(t.Context(), store); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); requests != 2 || took < attemptLimit || took >= defaultTimeout {
					t.Errorf("%d requests in %v, want one that hangs for %v and another", requests, took, attemptLimit)
				}
			})
		})
	}
}

// TestTimeoutBoundsTheWholeDelete has DynamoDB process nothing, slowly.
func TestTimeoutBoundsTheWholeDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := inMemory(dynamostore.Options{MaxAttempts: 1000}, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(attemptLimit / 2):
			case <-r.Context().Done():
				return
			}
			answer(w, batchOf(r).RequestItems)
		})
		start := time.Now()
		if err := store.Delete(t.Context(), "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(start); took != defaultTimeout {
			t.Errorf("it took %v, want %v", took, defaultTimeout)
		}
	})
}
