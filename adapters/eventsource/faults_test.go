package eventsource

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/ports"
)

// faulty fails the first calls of each method and passes later ones on.
type faulty struct {
	*memqueue.Queue
	receives, deletes, changes int // that still fail
}

var errDown = errors.New("queue down")

// failing uses up a failure and reports whether there was one left.
func failing(left *int) bool {
	*left--
	return *left >= 0
}

func (f *faulty) Receive(ctx context.Context, limit int) ([]ports.ReceivedMessage, error) {
	if failing(&f.receives) {
		return nil, errDown
	}
	return f.Queue.Receive(ctx, limit)
}

func (f *faulty) Delete(receipts ...string) error {
	if failing(&f.deletes) {
		return errDown
	}
	return f.Queue.Delete(receipts...)
}

func (f *faulty) ChangeVisibility(d time.Duration, receipts ...string) error {
	if failing(&f.changes) {
		return errDown
	}
	return f.Queue.ChangeVisibility(d, receipts...)
}

// TestFaultsOfTheQueue: each fault delays a message that the handler fails once as the
// contract says, and is logged.
func TestFaultsOfTheQueue(t *testing.T) {
	const retryAfter = 3 * time.Second
	for name, test := range map[string]struct {
		fault   faulty
		batches int
		took    time.Duration
		logged  string
	}{
		"none":              {faulty{}, 2, retryAfter, ""},
		"receive":           {faulty{receives: 5}, 2, 5*pauseAfterError + retryAfter, "receive failed"},
		"delete":            {faulty{deletes: 1}, 3, retryAfter + visibility, "messages not deleted"},
		"change visibility": {faulty{changes: 1}, 2, visibility, "visibility not changed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(func(turn int, e events.SQSEvent) (events.SQSEventResponse, error) {
					if turn == 1 {
						return failures(e.Records[0].MessageId), nil
					}
					return events.SQSEventResponse{}, nil
				})
				var log bytes.Buffer
				test.fault.Queue = s.queue
				s.Queue, s.RetryAfter, s.Log = &test.fault, retryAfter, slog.New(slog.NewTextHandler(&log, nil))
				send(t, s.queue, "a")
				if took := s.runUntilIdle(t); took != test.took || len(s.batches) != test.batches {
					t.Errorf("took %v in batches %v, want %v and %d", took, s.batches, test.took, test.batches)
				}
				if got := log.String(); (got != "") != (test.logged != "") || !strings.Contains(got, test.logged) {
					t.Errorf("logged %q, want %q", got, test.logged)
				}
			})
		})
	}
}

// TestStopWhileTheQueueIsDown: a source that pauses stops at once.
func TestStopWhileTheQueueIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(nil)
		s.Queue = &faulty{Queue: s.queue, receives: 1000}
		ctx, cancel := context.WithTimeout(t.Context(), pauseAfterError/2)
		defer cancel()
		start := time.Now()
		if err := s.Run(ctx); err != nil || time.Since(start) != pauseAfterError/2 {
			t.Errorf("stopped after %v: %v", time.Since(start), err)
		}
	})
}
