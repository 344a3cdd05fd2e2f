package sqsqueue

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/ports"
)

// TestBatches checks that every entry is in one batch, in order, that no batch exceeds a
// limit, and that none had room for the entry after it.
func TestBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, ports.MaxQueueBody)), 0, 40).Draw(t, "sizes")
		messages := make([]ports.QueueMessage, len(sizes))
		for i, size := range sizes {
			messages[i].Body = longest[:size]
		}
		entries, _ := newEntries(messages)
		next, size, count := 0, 0, 0
		for _, batch := range batches(entries) {
			first := len(*batch[0].MessageBody)
			if next > 0 && count < maxEntries && size+first <= maxBatchBytes {
				t.Errorf("a batch of %d entries and %d bytes ends before one of %d bytes", count, size, first)
			}
			size, count = 0, len(batch)
			for _, entry := range batch {
				if *entry.Id != strconv.Itoa(next) {
					t.Errorf("entry %s is where %d should be", *entry.Id, next)
				}
				size += len(*entry.MessageBody)
				next++
			}
			if count > maxEntries || size > maxBatchBytes {
				t.Errorf("a batch of %d entries and %d bytes", count, size)
			}
		}
		if next != len(sizes) {
			t.Errorf("%d entries in batches, want %d", next, len(sizes))
		}
	})
}

var longest = strings.Repeat("x", ports.MaxQueueBody)

func TestSecondsRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, ports.MaxQueueDelay: 900,
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %d, want %d", d, got, want)
		}
	}
}
