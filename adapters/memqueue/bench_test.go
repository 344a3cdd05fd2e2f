package memqueue

import (
	"context"
	"strings"
	"testing"

	"serverless-websocket/ports"
)

// BenchmarkSendReceiveDelete sends one message of 300 bytes through the queue.
func BenchmarkSendReceiveDelete(b *testing.B) {
	for name, gathered := range map[string]int{"one by one": 1, "batches of 1000": 1000} {
		b.Run(name, func(b *testing.B) {
			q := New(Config{})
			body := strings.Repeat("x", 300)
			b.ReportAllocs()
			for n := 0; b.Loop(); {
				if err := q.Send(context.Background(), ports.QueueMessage{Body: body}); err != nil {
					b.Fatal(err)
				}
				if n++; n < gathered {
					continue
				}
				n = 0
				q.Delete(receipts(receive(b, q, gathered))...)
			}
		})
	}
}
