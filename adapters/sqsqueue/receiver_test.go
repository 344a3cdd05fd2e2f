package sqsqueue_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/adapters/sqsqueue"
	"serverless-websocket/integration/environments/awslocal"
)

// receiverInMemory returns a receiver whose requests the handler answers, except the one
// for the queue's attributes.
func receiverInMemory(t *testing.T, window time.Duration, handler http.HandlerFunc) *sqsqueue.Receiver {
	t.Helper()
	client := awslocal.SQSInMemory(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetQueueAttributes") {
			fmt.Fprint(w, `{"Attributes":{"QueueArn":"arn:aws:sqs:r:1:jobs","VisibilityTimeout":"30"}}`)
			return
		}
		handler(w, r)
	})
	receiver, err := sqsqueue.NewReceiver(t.Context(), client, "http://service.invalid/jobs", sqsqueue.ReceiverOptions{Window: window})
	if err != nil {
		t.Fatal(err)
	}
	return receiver
}

// TestRequestThatFails has the request with the first ten receipts refused. The others
// are not held back.
func TestRequestThatFails(t *testing.T) {
	receipts := make([]string, 23)
	for i := range receipts {
		receipts[i] = fmt.Sprint("receipt-", i)
	}
	for name, do := range map[string]func(*sqsqueue.Receiver) error{
		"delete":            func(r *sqsqueue.Receiver) error { return r.Delete(receipts...) },
		"change visibility": func(r *sqsqueue.Receiver) error { return r.ChangeVisibility(time.Second, receipts...) },
	} {
		t.Run(name, func(t *testing.T) {
			var taken []string
			r := receiverInMemory(t, 0, func(w http.ResponseWriter, r *http.Request) {
				var request struct {
					Entries []struct{ Id, ReceiptHandle string }
				}
				check(json.NewDecoder(r.Body).Decode(&request))
				if request.Entries[0].ReceiptHandle == "receipt-0" {
					awslocal.WriteError(w, http.StatusBadRequest, "InvalidAddress")
					return
				}
				for _, entry := range request.Entries[1:] {
					taken = append(taken, entry.ReceiptHandle)
				}
				fmt.Fprintf(w, `{"Failed":[{"Id":%q,"Code":"Refused","SenderFault":true}]}`, request.Entries[0].Id)
			})
			err := do(r)
			if err == nil || strings.Count(err.Error(), "Refused") != 2 || !strings.Contains(err.Error(), "InvalidAddress") {
				t.Errorf("got %v, want one request and two entries refused", err)
			}
			if want := append(slices.Clone(receipts[11:20]), receipts[21:]...); !slices.Equal(taken, want) {
				t.Errorf("SQS took %q, want %q", taken, want)
			}
		})
	}
}

// TestErrorWhileGathering: messages that have already arrived are handed out.
func TestErrorWhileGathering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		r := receiverInMemory(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests > 1 {
				awslocal.WriteError(w, http.StatusBadRequest, "InvalidAddress")
				return
			}
			_, err := io.WriteString(w, `{"Messages":[{"MessageId":"a","Body":"a","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661"}]}`)
			check(err)
		})
		if batch, err := r.Receive(t.Context(), 100); err != nil || len(batch) != 1 {
			t.Errorf("got %v, %v, want the message that arrived first", batch, err)
		}
		if batch, err := r.Receive(t.Context(), 100); err == nil {
			t.Errorf("got %v, want the persistent error", batch)
		}
	})
}

func TestReceiverOfNoQueue(t *testing.T) {
	client := awslocal.SQSInMemory(func(w http.ResponseWriter, _ *http.Request) {
		awslocal.WriteError(w, http.StatusBadRequest, "QueueDoesNotExist")
	})
	_, err := sqsqueue.NewReceiver(t.Context(), client, "http://service.invalid/jobs", sqsqueue.ReceiverOptions{})
	if err == nil || !strings.Contains(err.Error(), "QueueDoesNotExist") {
		t.Errorf("got %v", err)
	}
}
