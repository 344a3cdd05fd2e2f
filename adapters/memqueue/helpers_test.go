package memqueue

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/ports"
)

func quietLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func send(tb rapid.TB, q *Queue, bodies ...string) {
	tb.Helper()
	for _, body := range bodies {
		if err := q.Send(context.Background(), ports.QueueMessage{Body: body}); err != nil {
			tb.Fatal(err)
		}
	}
}

func sendLater(tb rapid.TB, q *Queue, body string, delay time.Duration) {
	tb.Helper()
	if err := q.Send(context.Background(), ports.QueueMessage{Body: body, Delay: delay}); err != nil {
		tb.Fatal(err)
	}
}

// receive receives with a deadline far above any visibility of these tests.
func receive(tb rapid.TB, q *Queue, limit int) []Message {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	batch, err := q.Receive(ctx, limit)
	if err != nil {
		tb.Fatal(err)
	}
	return batch
}

func bodiesOf(batch []Message) []string {
	bodies := make([]string, len(batch))
	for i, m := range batch {
		bodies[i] = m.Body
	}
	return bodies
}

func wantBodies(tb rapid.TB, batch []Message, want ...string) {
	tb.Helper()
	if got := bodiesOf(batch); !slices.Equal(got, want) {
		tb.Errorf("received %q, want %q", got, want)
	}
}

func wantDepth(tb rapid.TB, q *Queue, want Depth) {
	tb.Helper()
	if got := q.Depth(); got != want {
		tb.Errorf("depth %+v, want %+v", got, want)
	}
}

func receipts(batch []Message) []string {
	all := make([]string, len(batch))
	for i, m := range batch {
		all[i] = m.Receipt
	}
	return all
}
