package eventsource

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func send(tb testing.TB, q *memqueue.Queue, bodies ...string) {
	tb.Helper()
	for _, body := range bodies {
		if err := q.Send(context.Background(), ports.QueueMessage{Body: body}); err != nil {
			tb.Fatal(err)
		}
	}
}

func wantDepth(tb testing.TB, q *memqueue.Queue, want memqueue.Depth) {
	tb.Helper()
	if got := q.Depth(); got != want {
		tb.Errorf("depth %+v, want %+v", got, want)
	}
}

// BenchmarkEvent is one message of a batch turned into its event.
func BenchmarkEvent(b *testing.B) {
	batch := make([]ports.ReceivedMessage, 100)
	for i := range batch {
		batch[i].Body = strings.Repeat("x", 300)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%len(batch) == 0 && len(newEvent(batch, DefaultQueueARN).Records) != len(batch) {
			b.Fatal("records lost")
		}
	}
}
