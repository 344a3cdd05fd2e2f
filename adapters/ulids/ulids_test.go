package ulids

import (
	"sync"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func TestIDsAscend(t *testing.T) {
	source := NewSource()
	now := time.UnixMilli(1_800_000_000_000)
	last := domain.MessageID("")
	for i, at := range []time.Time{now, now, now.Add(time.Second), now, now.Add(-time.Hour), now.Add(2 * time.Second)} {
		id := source.New(at)
		if len(id) != 26 || id <= last {
			t.Errorf("id %d is %q, after %q", i, id, last)
		}
		last = id
	}
}

func TestIDsAreUniqueAcrossSourcesAndGoroutines(t *testing.T) {
	const makers, each = 8, 1000
	at := time.Now()
	var mu sync.Mutex
	seen := make(map[domain.MessageID]bool)
	shared := NewSource()
	var wg sync.WaitGroup
	for i := range makers {
		source := shared
		if i%2 == 0 {
			source = NewSource()
		}
		wg.Go(func() {
			for range each {
				id := source.New(at)
				mu.Lock()
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != makers*each {
		t.Errorf("%d different ids of %d", len(seen), makers*each)
	}
}
