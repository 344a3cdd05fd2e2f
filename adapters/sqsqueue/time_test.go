package sqsqueue_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/environments/awslocal"
)

// How a queue spends its time is tested in virtual time, with its own limits.
const (
	defaultTimeout = 4 * time.Second
	attemptLimit   = defaultTimeout / 3
)

// inMemory returns a queue whose requests the handler answers.
func inMemory(opts sqsqueue.Options, handler http.HandlerFunc) *sqsqueue.Queue {
	return sqsqueue.New(awslocal.SQSInMemory(handler), "http://service.invalid/jobs", opts)
}

// storeAll answers like SQS when it accepts all messages of a batch.
func storeAll(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Entries []struct{ Id, MessageBody string }
	}
	check(json.NewDecoder(r.Body).Decode(&request))
	var stored []map[string]string
	for _, entry := range request.Entries {
		sum := md5.Sum([]byte(entry.MessageBody))
		stored = append(stored, map[string]string{
			"Id": entry.Id, "MessageId": "m-" + entry.Id, "MD5OfMessageBody": hex.EncodeToString(sum[:]),
		})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	check(json.NewEncoder(w).Encode(map[string]any{"Successful": stored}))
}

// TestOutageOfASecond: the outage ends before the timeout of a Send.
func TestOutageOfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := time.Now().Add(time.Second)
		queue := inMemory(sqsqueue.Options{}, func(w http.ResponseWriter, r *http.Request) {
			if time.Now().Before(up) {
				awslocal.WriteError(w, http.StatusServiceUnavailable, "ServiceUnavailable")
				return
			}
			storeAll(w, r)
		})
		if err := queue.Send(t.Context(), messages("a")...); err != nil || time.Now().Before(up) {
			t.Errorf("%v before it is up: %v", time.Until(up), err)
		}
	})
}

// TestTimeoutBoundsTheWholeSend has SQS refuse every entry, slowly.
func TestTimeoutBoundsTheWholeSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := refusing(t, 1000)
		queue := inMemory(sqsqueue.Options{MaxAttempts: 1000}, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(attemptLimit / 2):
			case <-r.Context().Done():
				return
			}
			refuse(w, r, "SendMessageBatch", nil)
		})
		start := time.Now()
		if err := queue.Send(t.Context(), messages("never")...); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(start); took != defaultTimeout {
			t.Errorf("it took %v, want %v", took, defaultTimeout)
		}
	})
}

// TestAttemptWithoutAnAnswer leaves time for another attempt, which succeeds.
func TestAttemptWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		queue := inMemory(sqsqueue.Options{}, func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests == 1 {
				hang(r)
				return
			}
			storeAll(w, r)
		})
		start := time.Now()
		if err := queue.Send(t.Context(), messages("a")...); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); requests != 2 || took < attemptLimit || took >= defaultTimeout {
			t.Errorf("%d requests in %v, want one that hangs for %v and another", requests, took, attemptLimit)
		}
	})
}
